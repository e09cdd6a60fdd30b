<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22" styleCategories="Symbology">
  <renderer-v2 type="singleSymbol">
    <symbols>
      <symbol type="marker" name="0"><layer class="SimpleMarker" enabled="1"><Option type="Map"><Option name="name" type="QString" value="circle"/><Option name="color" type="QString" value="160,180,170,160"/><Option name="outline_style" type="QString" value="no"/><Option name="size" type="QString" value="1.6"/></Option></layer></symbol>
    </symbols>
  </renderer-v2>
</qgis>
