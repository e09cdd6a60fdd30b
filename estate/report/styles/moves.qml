<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22" styleCategories="Symbology">
  <renderer-v2 type="singleSymbol">
    <symbols>
      <symbol type="line" name="0"><layer class="ArrowLine" enabled="1"><Option type="Map"><Option name="arrow_width" type="QString" value="0.4"/><Option name="head_length" type="QString" value="1.8"/><Option name="head_thickness" type="QString" value="1.2"/></Option></layer></symbol>
    </symbols>
  </renderer-v2>
</qgis>
