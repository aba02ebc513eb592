from datetime import date

import pytest

from aitheme.errors import RegistryError, UnknownNameError
from aitheme.themes import load_theme

VALUATION = "reports/acme-20230615/tables/valuation.csv"


def test_a_new_theme_needs_no_python(toy_theme):
    assert toy_theme.name_en == "Robots"
    assert toy_theme.symbols("acme-20230615/recommended") == ("600111.SH", "300222.SZ", "688333.SH")
    assert toy_theme.symbols("acme-20230615/recommended", overseas=True)[-1] == "00999.HK"
    assert [row.name_printed for row in toy_theme.member_rows("robots/all")][-1] == "戊创业"
    assert toy_theme.known_since("robots/all") == date(2023, 6, 15)
    assert toy_theme.report("acme-20230615").first_tradable == date(2023, 6, 16)


def test_day_zero_follows_precision_and_zone(toy_theme):
    days = {release.id: release.day0 for release in toy_theme.releases.values()}
    assert days == {
        "rt-1-20230520": date(2023, 5, 22),
        "rt-2-20230607": date(2023, 6, 7),
        "rt-3-20230612": date(2023, 6, 13),
        "rt-0-2022": None,
    }
    assert [r.id for r in toy_theme.dated_releases()] == ["rt-1-20230520", "rt-2-20230607", "rt-3-20230612"]


def test_conflicting_dates_are_kept_with_their_sources(toy_theme):
    (conflict,) = toy_theme.conflicts("rt-1-20230520")
    assert (conflict.report, conflict.section, conflict.beijing_date) == ("acme-20230615", "2", date(2023, 5, 22))
    assert toy_theme.conflicts("rt-2-20230607") == ()


def test_names_and_links(toy_theme):
    assert toy_theme.directory.resolve("甲机") == "600111.SH"
    assert toy_theme.linked_symbols("rt") == ("600111.SH",)
    meta, table = toy_theme.table("acme-20230615", "valuation")
    assert meta.columns["eps"] == "EPS"
    assert len(table) == 4


def test_cells_of_a_table_as_its_file_has_them(toy_theme):
    text = toy_theme.table_text("acme-20230615", "valuation")
    frame = toy_theme.table("acme-20230615", "valuation")[1]
    assert list(text.columns) == list(frame.columns)
    assert all(isinstance(cell, str) for cell in text.to_numpy().ravel())
    assert [float(cell) for cell in text["eps"]] == list(frame["eps"].astype(float))
    packaged = load_theme().table_text("tfzq-20240309", "gemini-benchmarks")["score"]
    assert list(packaged[[3, 7, 23]]) == ["70", "73.0", ""]
    with pytest.raises(UnknownNameError, match="valuations"):
        toy_theme.table_text("acme-20230615", "valuations")


@pytest.mark.parametrize(
    ("call", "value"),
    [("basket", "acme-20230615/part"), ("report", "acme"), ("release", "rt-9"), ("symbols", "nope/x")],
)
def test_unknown_names_suggest_near_ones(toy_theme, call, value):
    with pytest.raises(UnknownNameError, match=value):
        getattr(toy_theme, call)(value)


def test_unknown_packaged_theme():
    with pytest.raises(UnknownNameError, match="theme: 'aii'"):
        load_theme("aii")


def _edit(root, name, old, new):
    path = root / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


REPORT = "reports/acme-20230615"


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("securities.csv", "300222.SZ", "300222.SH", r"securities\.csv:3: symbol.*listed in SZ"),
        ("securities.csv", "300222.SZ", "sz300222", r"securities\.csv:3: symbol.*not canonical; write 300222\.SZ"),
        ("securities.csv", "688333.SH,丙", "300222.SZ,丙", r"csv:4: '300222\.SZ' is there already \(securities\.csv:3\)"),
        ("securities.csv", "Epsilon Labs,unlisted", "Epsilon Labs,listed", r"securities\.csv:6: .*does not fit symbol"),
        ("securities.csv", ",做大脑", "", r"securities\.csv:6: the row has another number of cells"),
        (f"{REPORT}/members.csv", "688333.SH", "688334.SH", r"members\.csv:4: 688334\.SH is not in securities\.csv"),
        (f"{REPORT}/members.csv", ",,戊创业", ",,己创业", r"members\.csv:7: '己创业' has no symbol"),
        (f"{REPORT}/members.csv", "parts,300222.SZ", "parts,600111.SH", r"members\.csv:3: 600111\.SH is in .* twice"),
        (f"{REPORT}/members.csv", "acme-20230615/parts,600111", "acme-20230615/part,600111", r"members\.csv:2: basket"),
        (f"{REPORT}/baskets.csv", "systems,acme-20230615/recommended", "systems,acme-20230615/top", r"baskets\.csv:4: parent"),
        (f"{REPORT}/links.csv", ",rt,RT", ",rx,RT", r"links\.csv:2: model 'rx' is not in models\.csv"),
        ("releases.csv", "rt-1-20230520,RT", "rt-1-20230521,RT", r"releases\.csv:2: row: .*must end in the Beijing date"),
        ("releases.csv", "2023-05-20,2023-05-20", "2099-05-20,2099-05-20", r"releases\.csv:2: "),
        ("releases.csv", "2023-05-20,2023-05-20", "2023-05-32,2023-05-20", r"releases\.csv:2: announced"),
        ("releases.csv", "20:00+08:00", "20:00", r"releases\.csv:4: row: .*needs a UTC offset"),
        ("mentions.csv", "6月12日晚,2023-06-12,true", "6月12日晚,2023-06-12,false", r"releases\.csv:4: no mention .* chosen"),
        ("mentions.csv", "rt-0-2022,acme", "rt-00,acme", r"mentions\.csv:6: release 'rt-00'"),
        ("mentions.csv", "6月6日（美国）,2023-06-07,true", "6月6日,2023-06-06,true", r"mentions\.csv:4: chosen date 2023-06-06"),
        ("unions.csv", "acme-20230615/recommended", "acme-20230615/none", r"unions\.csv: robots/all names unknown basket"),
        ("unions.csv", "robots/all", "ai/all", r"unions\.csv:2: 'ai/all' must start with robots/"),
        (VALUATION, ",10.00,CNY,2022", ",-1,CNY,2022", r"valuation\.csv:2: price"),
        (VALUATION, "fiscal_year,kind", "year,kind", r"valuation\.csv:"),
        (f"{REPORT}/report.toml", 'id = "acme-20230615"', 'id = "acme"', "differs from its folder"),
        (f"{REPORT}/report.toml", "published = 2023-06-15", "published = 2150-06-15", r"report\.toml: published: .*known sessions"),
        (
            f"{REPORT}/report.toml", "horizon_months_sector = 6", "horizon_months_sector = [12, 6]",
            r"report\.toml: .*horizon \[12, 6\] must be one number of months, or \[nearer end, later end\]",
        ),
        (f"{REPORT}/report.toml", "[rating_scale]", "[rating_scale", r"report\.toml: .*correct the TOML"),
        (f"{REPORT}/report.toml", 'eps = "EPS"', 'epss = "EPS"', "columns without a label"),
        ("theme.toml", "id =", "ident =", "theme.toml"),
    ],
)  # fmt: skip
def test_a_damaged_theme_names_file_line_and_fix(toy_theme_dir, name, old, new, message):
    _edit(toy_theme_dir, name, old, new)
    with pytest.raises(RegistryError, match=message):
        load_theme(toy_theme_dir)


def test_a_missing_file_is_named(toy_theme_dir):
    (toy_theme_dir / "releases.csv").unlink()
    with pytest.raises(RegistryError, match=r"releases\.csv: missing"):
        load_theme(toy_theme_dir)


def test_a_horizon_is_one_number_of_months_or_a_span(toy_theme_dir):
    _edit(toy_theme_dir, f"{REPORT}/report.toml", "horizon_months_sector = 6", "horizon_months_sector = [6, 12]")
    scale = load_theme(toy_theme_dir).report("acme-20230615").rating_scale
    assert (scale.horizon_months_stock, scale.horizon_months_sector) == ((6,), (6, 12))
