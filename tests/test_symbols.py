from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aitheme.errors import SymbolError
from aitheme.symbols import PriceLimit, Symbol, SymbolDirectory, board_of, parse_symbol, price_limit


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("300364", "300364.SZ"), ("300364.SZ", "300364.SZ"), ("sz300364", "300364.SZ"), ("SZ300364", "300364.SZ"),
        ("300364 CH", "300364.SZ"), ("300364.XSHE", "300364.SZ"), ("0.300364", "300364.SZ"), ("３００３６４", "300364.SZ"),
        (" 600633 ", "600633.SH"), ("sh600633", "600633.SH"), ("1.600633", "600633.SH"), ("600633 C1", "600633.SH"),
        ("772 HK", "00772.HK"), ("0772.HK", "00772.HK"), ("hk00772", "00772.HK"), ("116.00772", "00772.HK"),
        ("BIDU US", "BIDU.US"), ("BIDU.O", "BIDU.US"), ("105.BIDU", "BIDU.US"), ("usBIDU", "BIDU.US"),
        ("000300.SH", "000300.SH"), ("sh000300", "000300.SH"), ("801760.SI", "801760.SI"), ("CI005028.WI", "CI005028.CI"),
        ("H30184.CSI", "H30184.CSI"), ("HSI.HK", "HSI.HK"), ("830799", "830799.BJ"), ("920000", "920000.BJ"),
        ("688041", "688041.SH"), ("000001", "000001.SZ"),
    ],
)  # fmt: skip
def test_every_usual_spelling_reads_to_one_canonical_symbol(text, canonical):
    assert str(parse_symbol(text)) == canonical


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "not a code"), ("12345", "not a code"), ("399006", "no A-share prefix"), ("300364.SH", "listed in SZ"),
        ("600000.XX", "known markets"), ("中文在线", "not a code"), ("1234567.HK", "too many digits"), ("60063.SH", "six digits"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_the_text_and_a_hint(text, part):
    with pytest.raises(SymbolError, match=part):
        parse_symbol(text)


@pytest.mark.parametrize(
    ("symbol", "vendor", "spelled"),
    [
        ("300364.SZ", "wind", "300364.SZ"), ("00772.HK", "wind", "0772.HK"), ("300364.SZ", "bloomberg", "300364 CH"),
        ("00772.HK", "bloomberg", "772 HK"), ("BIDU.US", "bloomberg", "BIDU US"), ("300364.SZ", "eastmoney", "0.300364"),
        ("600633.SH", "eastmoney", "1.600633"), ("00772.HK", "sina", "hk00772"), ("600633.SH", "tencent", "sh600633"),
        ("00700.HK", "plain", "00700"),
    ],
)  # fmt: skip
def test_vendor_spellings(symbol, vendor, spelled):
    assert parse_symbol(symbol).spelled(vendor) == spelled


@given(
    st.sampled_from(["600", "601", "603", "688", "000", "002", "300", "301", "920"]),
    st.integers(0, 999),
    st.sampled_from(["wind", "bloomberg", "eastmoney", "sina", "tencent", "plain"]),
)
def test_out_and_in_again_is_the_identity_for_shares(prefix, number, vendor):
    symbol = parse_symbol(f"{prefix}{number:03d}")
    assert parse_symbol(symbol.spelled(vendor)) == symbol


@given(st.integers(1, 99_999), st.sampled_from(["wind", "bloomberg", "eastmoney", "sina"]))
def test_hong_kong_round_trip(number, vendor):
    symbol = Symbol(f"{number:05d}", "HK")
    assert parse_symbol(symbol.spelled(vendor)) == symbol


def test_boards_and_currencies():
    assert [board_of(s) for s in ("600633.SH", "688041.SH", "300364.SZ", "002354.SZ", "830799.BJ", "00772.HK", "BIDU.US")] == [
        "main", "star", "chinext", "main", "bse", "hk", "us",
    ]  # fmt: skip
    assert [board_of(s) for s in ("000300.SH", "801760.SI", "HSI.HK", "SPX.US")] == ["index"] * 4
    assert (parse_symbol("00772.HK").currency, parse_symbol("BIDU.US").currency, parse_symbol("300364").currency) == (
        "HKD", "USD", "CNY",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("symbol", "day", "options", "limit"),
    [
        ("600633.SH", date(2024, 3, 18), {}, PriceLimit(0.10, -0.10)),
        ("600633.SH", date(2024, 3, 18), {"st": True}, PriceLimit(0.05, -0.05)),
        ("300364.SZ", date(2020, 8, 21), {}, PriceLimit(0.10, -0.10)),
        ("300364.SZ", date(2020, 8, 24), {}, PriceLimit(0.20, -0.20)),
        ("300364.SZ", date(2024, 3, 18), {"st": True}, PriceLimit(0.20, -0.20)),
        ("688041.SH", date(2022, 8, 12), {"listed_sessions": 1}, PriceLimit(None, None)),
        ("688041.SH", date(2022, 8, 19), {"listed_sessions": 6}, PriceLimit(0.20, -0.20)),
        ("603001.SH", date(2023, 4, 7), {"listed_sessions": 1}, PriceLimit(0.44, -0.36)),
        ("603001.SH", date(2023, 4, 10), {"listed_sessions": 5}, PriceLimit(None, None)),
        ("830799.BJ", date(2022, 1, 4), {"listed_sessions": 1}, PriceLimit(None, None)),
        ("830799.BJ", date(2022, 1, 5), {"listed_sessions": 2}, PriceLimit(0.30, -0.30)),
        ("00772.HK", date(2024, 3, 18), {}, PriceLimit(None, None)),
    ],
)
def test_price_limits_by_board_and_date(symbol, day, options, limit):
    assert price_limit(symbol, day, **options) == limit


def test_a_unique_name_resolves_and_an_ambiguous_one_lists_its_candidates():
    directory = SymbolDirectory(
        [("300364.SZ", "中文在线"), ("09888.HK", "百度"), ("BIDU.US", "百度"), ("000002.SZ", "万科A")]
    )
    assert directory.resolve("中文 在线") == "300364.SZ"
    assert directory.resolve("万  科Ａ") == "000002.SZ"
    assert directory.resolve("sz000002") == "000002.SZ"
    with pytest.raises(SymbolError, match=r"09888\.HK, BIDU\.US"):
        directory.resolve("百度")
