"""The chapters on effects from the real market archive: sanity against what is known of those days."""

from datetime import date

import pandas as pd
import pytest

from aitheme.exhibits.crowding import crowding_chapter
from aitheme.exhibits.members import member_chapter
from aitheme.exhibits.releases_effect import release_chapter
from aitheme.exhibits.valuation_band import valuation_chapter
from aitheme.sources.archive import ArchiveSource
from tests.exhibits.conftest import filled

pytestmark = pytest.mark.archive
MSZQ = "mszq-20240328"


@pytest.fixture(scope="module")
def real_market(tmp_path_factory, ai_theme, archive_root):
    source = ArchiveSource(archive_root, ai_theme)
    with filled(tmp_path_factory.mktemp("effects") / "store", source) as market:
        yield market


def drawn(market, theme, chapter, exhibit_id, report=MSZQ):
    return next(one for one in chapter(theme, report) if one.id == exhibit_id)(market, theme)


def test_kimi_and_sora_are_those_of_the_written_example(real_market, ai_theme):
    # docs/size.md, "A written example": window [0, 4], CSI 300, market model.
    data = drawn(real_market, ai_theme, release_chapter, "release-heatmap").data
    found = data.set_index(["day0", "basket_id"])
    for day, basket, caar, p_value in (
        (date(2024, 3, 18), "text-corpus", 0.176, 0.019),
        (date(2024, 3, 18), "video-corpus", 0.203, 0.006),
        (date(2024, 2, 19), "text-corpus", 0.168, 0.040),
        (date(2024, 2, 19), "video-corpus", 0.153, 0.059),
    ):
        row = found.loc[(day, f"{MSZQ}/{basket}")]
        assert row["caar"] == pytest.approx(caar, abs=0.002)
        assert row["p_value"] == pytest.approx(p_value, abs=0.003)
        assert row["benjamini_hochberg"] > row["p_value"]


def test_turnover_share_equals_the_raw_bars(real_market, ai_theme, archive_root):
    raw = pd.read_parquet(archive_root / "bars" / "2024.parquet")
    day = raw[raw["日期"].astype(str).str.slice(0, 10) == "2024-03-28"]
    members = {symbol[:6] for symbol in ai_theme.symbols(f"{MSZQ}/recommended")}
    amounts = day.drop_duplicates("股票代码").set_index(day.drop_duplicates("股票代码")["股票代码"].astype(str))[
        "成交额"
    ]
    expected = amounts[amounts.index.isin(members)].sum() / amounts.sum()
    data = drawn(real_market, ai_theme, crowding_chapter, "turnover-share").data
    name = ai_theme.basket(f"{MSZQ}/recommended").name_zh
    own = data[(data["name"] == name) & (data["session"] == date(2024, 3, 28))]["share"].iloc[0]
    assert own == pytest.approx(expected, rel=1e-6)


def test_members_of_a_theme_move_together(real_market, ai_theme):
    table = drawn(real_market, ai_theme, member_chapter, "correlation-table").data.set_index("name")
    text = table.loc[ai_theme.basket(f"{MSZQ}/text-corpus").name_zh]
    assert 0.4 < text["mean_before"] < 0.6
    assert 1.5 < text["independent_before"] < 2.5


def test_sector_band_and_the_printed_consensus(real_market, ai_theme):
    band = drawn(real_market, ai_theme, valuation_chapter, "pe-band", "tfzq-20240309")
    assert "中证计算机主题" in band.content.subtitle
    then = drawn(real_market, ai_theme, valuation_chapter, "pe-then-now").data.set_index("symbol")
    assert then.loc["300364.SZ", "pe_then"] == pytest.approx(28.41 / 0.24)
    revisions = drawn(real_market, ai_theme, valuation_chapter, "revisions")
    assert revisions.status == "unavailable"
    assert "2024-03-28之后" in revisions.reason
