<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22" styleCategories="Symbology">
  <renderer-v2 type="categorizedSymbol" attr="after" enableorderby="0">
    <categories>
      <category symbol="0" value="hub" label="Hub" render="true"/>
      <category symbol="1" value="retained" label="Retained" render="true"/>
      <category symbol="2" value="released" label="Released" render="true"/>
      <category symbol="3" value="closed to services" label="Closed to services" render="true"/>
      <category symbol="4" value="" label="Other" render="true"/>
    </categories>
    <symbols>
      <symbol type="marker" name="0"><layer class="SimpleMarker" enabled="1"><Option type="Map"><Option name="name" type="QString" value="square"/><Option name="color" type="QString" value="0,90,156,255"/><Option name="size" type="QString" value="4"/></Option></layer></symbol>
      <symbol type="marker" name="1"><layer class="SimpleMarker" enabled="1"><Option type="Map"><Option name="name" type="QString" value="circle"/><Option name="color" type="QString" value="120,120,120,255"/><Option name="size" type="QString" value="2.6"/></Option></layer></symbol>
      <symbol type="marker" name="2"><layer class="SimpleMarker" enabled="1"><Option type="Map"><Option name="name" type="QString" value="cross2"/><Option name="color" type="QString" value="200,80,0,255"/><Option name="outline_color" type="QString" value="200,80,0,255"/><Option name="outline_width" type="QString" value="0.7"/><Option name="size" type="QString" value="3.4"/></Option></layer></symbol>
      <symbol type="marker" name="3"><layer class="SimpleMarker" enabled="1"><Option type="Map"><Option name="name" type="QString" value="diamond"/><Option name="color" type="QString" value="230,170,50,255"/><Option name="size" type="QString" value="3"/></Option></layer></symbol>
      <symbol type="marker" name="4"><layer class="SimpleMarker" enabled="1"><Option type="Map"><Option name="name" type="QString" value="circle"/><Option name="color" type="QString" value="200,200,200,255"/><Option name="size" type="QString" value="2"/></Option></layer></symbol>
    </symbols>
  </renderer-v2>
</qgis>
