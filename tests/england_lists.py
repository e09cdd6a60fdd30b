"""Open lists of a county that is not there, as the country's own come."""

from pathlib import Path

HEAD = "name,type,operation_23,closed,hours,uprn,co_located_civic,co_located_health,os_footprint_m2,postcode"


LISTS = {
    "lsoa.csv": """lsoa11cd,lsoa11nm,easting,northing,pop2011,pop_mid2022,ladcd,ladnm,ruc11cd,imd15_rank
        E01000001,Warwick 1A,430000,265000,1500,1600,E07000222,Warwick,C1,20000
        E01000002,Warwick 1B,431500,265000,1400,,E07000222,Warwick,C1,9000
        E01000003,Stratford 1A,420000,255000,1300,1350,E07000221,Stratford-on-Avon,D1,
        E01000004,Coventry 1A,433000,279000,1700,1800,E08000026,Coventry,A1,100
        E01000005,Craven 1A,399000,451000,1700,1800,E07000163,Craven,D1,15000
        W01000001,Cardiff 1A,318000,176000,1400,1500,W06000015,Cardiff,A1,""",
    "libraries.csv": HEAD
    + """,easting,northing,ladcd
        Elm Street,Static Library,LA,,50,1,X,,700,CV90 1AA,430010,265000,E07000222
        Oak Lane Library,static library,ICL,,12,2,,X,,CV90 2AA,431510,265000,E07000222
        Ash Road,Static Library,LA,,26,3,,,200,CV90 3AA,420010,255000,E07000221
        Shut,Static Library,Closed,2019,,4,,,,CV90 4AA,430500,265000,E07000222
        Van,Mobile Library,LA,,,5,,,,CV90 5AA,430600,265000,E07000222
        Dale,Static Library,LA,,[Unknown],6,,,,BD90 1AA,399010,451000,E06000065""",
    "gp_list.csv": """ods_code,name,addr1,commissioner,postcode,easting,northing,ladcd
        X1,ST JOHN'S SURGERY,1 HIGH ST,15Z,CV90 6AA,430400,265100,E07000222
        X2,THE OTHER PRACTICE,HEALTH CENTRE,15Z,CV906AA,430400,265100,E07000222
        X3,DR NOWHERE,,15Z,CV90 7AA,,,E07000222
        X4,COVENTRY MEDICAL CENTRE,,15Y,CV91 1AA,433010,279000,E08000026
        X5,CARDIFF PRACTICE,,7A4,CF90 1AA,318000,176000,W06000015""",
    "jobcentres.csv": """JC Name,Postcode,Town/City,easting,northing,ladcd
        Leamington Jobcentre,CV90 8AA,LEAMINGTON,431000,265200,E07000222""",
    "uk_council_list.csv": """name,Postcode,authority-type,country,lon,lat
        Warwick District Council,CV90 9AA,District,England,-1.5556,52.2825
        Warwickshire County Council,CV90 9AB,County,England,-1.5600,52.2830
        Craven District Council,BD90 2AA,District,England,-2.0160,53.9545
        Cardiff Council,CF90 1AB,Unitary,Wales,-3.18,51.48""",
    "police.csv": """name,lon,lat
        Leamington Police Station,-1.5580,52.2827
        Warwickshire Police Headquarters,-1.5580,52.2827
        Old Police Station,-1.5580,52.2826""",
}  # fmt: skip


def lists(folder: Path, **changed: str) -> Path:
    for name, text in {**LISTS, **changed}.items():
        (folder / name).write_text("\n".join(line.strip() for line in text.splitlines()) + "\n")
    return folder
