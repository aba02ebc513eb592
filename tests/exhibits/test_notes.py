"""What the notes say: which index is drawn, who is not counted, and what would help where nothing can be drawn."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest

from aitheme.exhibits import book
from aitheme.exhibits.base import Context, UnavailableError
from aitheme.exhibits.membership import headline_baskets, main_baskets
from aitheme.exhibits.quotes import choose_indices
from aitheme.exhibits.reasons import begins_later, ends_earlier, estimates_wanted
from aitheme.exhibits.uncounted import listing, outside, uncounted
from aitheme.themes.model import Member
from tests.exhibits.test_exhibits import closes

HTSC, GLSC, MSZQ, TFZQ, HFZQ = "htsc-20230420", "glsc-20231229", "mszq-20240328", "tfzq-20240309", "hfzq-202402"


def exhibit(market, theme, report, name, **options):
    return next(one for one in book(theme, report) if one.id == name)(market, theme, **options)


# Which index


@pytest.mark.parametrize(
    ("report", "name", "zh", "en"),
    [
        (HTSC, "sector-line", "文字只注来源Wind，未写明指数", "its text names Wind, not the index"),
        (TFZQ, "sector-line", "文字只注来源聚源数据，未写明指数", "its text names Gildata, not the index"),
        (GLSC, "sector-line", "文字未写明指数与来源", "its text names neither index nor vendor"),
        (HFZQ, "sector-line", "文字未写明指数与来源", "its text names neither index nor vendor"),
        (MSZQ, "index-lines", "原图为申万指数，来源iFinD", "the print draws Shenwan indices from iFinD"),
    ],
)
def test_notes_name_the_printed_index_and_the_drawn_one(demo_market, ai_theme, report, name, zh, en):
    chinese, english = (exhibit(demo_market, ai_theme, report, name, lang=lang).note for lang in ("zh", "en"))
    assert zh in chinese
    assert en in english
    assert "模拟的申万一级行业指数" in chinese
    assert "a simulated Shenwan level-1 index" in english
    assert "正文未给出涨跌幅数字，无从核对" in chinese


def test_the_other_provider_ends_where_its_closes_say(demo_market, ai_theme):
    """Computer index of both providers over the year to 29 December 2023, from the stored closes."""
    start, end = date(2022, 12, 29), date(2023, 12, 29)
    ends = []
    for symbol in ("CI005027.CI", "801750.SI"):
        series = closes(demo_market, symbol, start, end)
        ends.append(series[end] / series[start] - 1)
    gap = 100 * (ends[0] - ends[1])
    words = f"同期中信一级行业指数{'高' if gap >= 0 else '低'}{abs(gap):.1f}个百分点"
    assert words in exhibit(demo_market, ai_theme, GLSC, "sector-line").note


# Who is not counted

WITHOUT = "视频/虚拟人没有A股成分（商汤 00020.HK），未计"


@pytest.mark.parametrize(
    "name",
    [
        "basket-lines", "basket-summary", "before-table", "after-lines", "after-random", "after-table", "release-heatmap",
        "crowding-summary", "turnover-share", "crowding-releases", "correlation-table", "concentration",
    ],
)  # fmt: skip
def test_a_basket_without_an_a_share_is_named(demo_market, ai_theme, name):
    """Huatai's chapter on video and virtual humans names SenseTime only, a Hong Kong share."""
    assert set(main_baskets(ai_theme, HTSC)) - set(headline_baskets(ai_theme, HTSC)) == {f"{HTSC}/video-virtual-human"}
    assert WITHOUT in exhibit(demo_market, ai_theme, HTSC, name).note


def test_the_same_in_english_and_over_all_reports(demo_market, ai_theme):
    words = "Video and virtual humans holds no A-share (SenseTime 00020.HK) and is left out"
    assert words in exhibit(demo_market, ai_theme, HTSC, "basket-lines", lang="en").note
    assert f"Huatai Securities: {words}" in exhibit(demo_market, ai_theme, MSZQ, "cross-report", lang="en").note
    for name in ("shared-names", "basket-overlap"):
        assert "没有A股成分的篮子未计：视频/虚拟人" in exhibit(demo_market, ai_theme, MSZQ, name).note


def context(market, theme, report, lang="zh", as_of=None):
    return Context(market, theme, theme.report(report), lang, market.as_of(as_of))


def test_members_abroad_are_counted_by_market(demo_market, ai_theme):
    own = context(demo_market, ai_theme, GLSC)
    assert outside(own, headline_baskets(ai_theme, GLSC)) == "不计港股4家（百度集团、商汤、美图公司、医渡科技）"
    assert uncounted(own, [f"{GLSC}/compute"]) == ""
    assert uncounted(own, [f"{GLSC}/nowhere"]) == f"主题库没有篮子：{GLSC}/nowhere"
    english = context(demo_market, ai_theme, GLSC, "en")
    assert outside(english, [f"{GLSC}/models"]) == "not counted: 2 Hong Kong (Baidu, SenseTime)"
    assert listing(own, list("甲乙丙丁戊己")) == "甲、乙、丙、丁等6家"


def test_members_without_a_price_are_named(demo_market, ai_theme):
    basket = f"{HTSC}/games"
    stranger = Member(basket=basket, symbol="301999.SZ", name_printed="无价", section="4")
    strange = replace(ai_theme, members=(*ai_theme.members, stranger))
    lines = exhibit(demo_market, strange, HTSC, "basket-lines")
    assert "游戏 3/4" in lines.note
    assert "全程无行情：301999.SZ" in lines.note
    assert "未计：301999.SZ" in exhibit(demo_market, strange, HTSC, "basket-summary").note
    assert "发布日尚无行情：301999.SZ" in exhibit(demo_market, strange, HTSC, "basket-members").note
    assert "游戏有价成分最少3/4只" in exhibit(demo_market, strange, HTSC, "after-table").note


def test_baskets_without_a_heatmap_are_named(demo_market, ai_theme):
    """All 42 names of Minsheng are too many for one heatmap; its three baskets have one each."""
    note = exhibit(demo_market, ai_theme, MSZQ, "correlation-table").note
    assert "不另画热图：重点关注与建议关注标的" in note


# What would help


def test_reasons_say_what_to_do_and_are_true_of_the_store(demo_market, toy_market, ai_theme, toy_theme):
    early = ends_earlier(context(demo_market, ai_theme, MSZQ, as_of="2024-03-01"))
    assert str(early) == "所取日期2024-03-01不晚于报告发布日2024-03-28；请取更晚的--as-of"
    late = replace(
        ai_theme,
        reports={**ai_theme.reports, MSZQ: ai_theme.report(MSZQ).model_copy(update={"published": date(2025, 1, 2)})},
    )
    assert (
        str(ends_earlier(context(demo_market, late, MSZQ)))
        == "行情库止于2024-05-22，不晚于报告发布日2025-01-02；请先刷新"
    )
    first = demo_market.span[0]
    assert f"始于{first}" in str(begins_later(context(demo_market, ai_theme, MSZQ)))
    assert "--since" in str(begins_later(context(demo_market, ai_theme, MSZQ, "en")))
    report = next(iter(toy_theme.reports))
    assert estimates_wanted(context(toy_market, toy_theme, report)) == "用akshare源刷新，可取得带日期的券商预测"
    assert "模拟" in estimates_wanted(context(demo_market, ai_theme, MSZQ))


def test_a_store_without_sector_indices_says_which(toy_market, ai_theme):
    own = context(toy_market, ai_theme, HTSC, "zh")
    with pytest.raises(UnavailableError, match="行情库没有传媒自2023-01-03至2023-06-30的申万或中信一级行业指数"):
        choose_indices(own, ["传媒"], date(2023, 1, 3), date(2023, 6, 30))
    with pytest.raises(UnavailableError, match="neither Shenwan nor CITIC"):
        choose_indices(context(toy_market, ai_theme, HTSC, "en"), ["传媒"], date(2023, 1, 3), date(2023, 6, 30))


def test_too_few_estimates_are_counted_in_the_reason(toy_market, toy_theme):
    """The toy archive holds the printed estimates of one day only."""
    report = next(iter(toy_theme.reports))
    found = [
        exhibit(toy_market, toy_theme, report, name, lang=lang)
        for name in ("pe-then-now", "revisions", "forward-pe")
        for lang in ("zh", "en")
    ]
    for one in found:
        if one.status == "unavailable":
            assert "akshare" in one.reason
    assert any(one.status == "unavailable" for one in found)


def test_no_reason_of_a_chinese_book_is_an_english_message(demo_market, ai_theme):
    """Long before publication most exhibits have no data; each says so in the language of the book."""
    early = demo_market.span[0] + timedelta(days=40)
    reasons = {
        definition.id: shown.reason
        for report in (MSZQ, HFZQ)
        for definition in book(ai_theme, report)
        if (shown := definition(demo_market, ai_theme, as_of=early)).status != "ok"
    }
    assert "sub-sectors" in reasons
    assert {name: text for name, text in reasons.items() if not re.search(r"[\u4e00-\u9fff]", text)} == {}
