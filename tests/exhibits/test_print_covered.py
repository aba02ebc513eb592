"""No exhibit without a test of its numbers: every id of every book is named here with the test that recomputes it.

A new exhibit fails this test until its data test is written and entered.
"""

import ast
from fnmatch import fnmatchcase

import pytest

from aitheme.exhibits import book
from tests.conftest import PROJECT
from tests.exhibits.test_print_data import BOOKS, SCORES, SPREAD, TABLES

DATA = "exhibits/test_print_data.py::"
AFTER = "exhibits/test_aftermath.py::"
EFFECTS = "exhibits/test_effects.py::"
OWN = "exhibits/test_exhibits.py::"
CHECKED = {
    **{name: f"{DATA}test_tables_are_the_packaged_ones" for names in TABLES.values() for name in names},
    **{name: f"{DATA}test_scores_are_drawn_from_the_packaged_rows" for names in SCORES.values() for name in names},
    **dict.fromkeys(SPREAD, f"{DATA}test_tables_of_scores_hold_each_printed_score_once"),
    **dict.fromkeys(
        ("gpt-4-pretraining-mix", "gemini-1-5-wins", "opencompass-202403", "lmsys-arena-20231222", "svd-fvd"),
        f"{DATA}test_rankings_hold_the_printed_values",
    ),
    **dict.fromkeys(
        ("gemini-benchmark-dots", "gemini-1-5-multimodal-dots", "ernie-dots", "abab6-dots"),
        f"{DATA}test_charts_beside_a_table_draw_its_scores",
    ),
    **dict.fromkeys(
        ("gemini-benchmark-settings", "claude-3-settings"), f"{DATA}test_settings_stand_where_the_scores_do"
    ),
    **dict.fromkeys(
        ("gpt-4-mix-data", "price-data", "lmsys-data"), f"{DATA}test_tables_beside_a_chart_hold_every_number"
    ),
    **dict.fromkeys(("gpt-timeline", "meta-timeline", "pangu-history"), f"{DATA}test_histories_hold_every_dated_row"),
    **dict.fromkeys(
        ("release-timeline", "tongyi-timeline"), f"{DATA}test_timelines_hold_the_releases_the_report_dates"
    ),
    "ernie-updates": f"{DATA}test_ernie_updates_are_those_with_a_month_at_least",
    "indicator-stages": f"{DATA}test_indicator_scheme_names_columns_the_tool_reads",
    "exhibit-register": f"{DATA}test_register_accounts_for_every_exhibit_of_the_report",
    "rating-scale": f"{DATA}test_rating_scale_is_the_printed_one",
    "sector-line": f"{DATA}test_sector_lines_end_where_the_indices_do",
    "basket-lines": f"{DATA}test_basket_lines_are_means_of_their_members",
    "capex-*": f"{DATA}test_capital_expenditure_of_each_company",
    "box-office": f"{DATA}test_box_office_of_a_store_fills_the_years_the_text_leaves_out",
    "admissions": f"{DATA}test_box_office_of_the_text_alone",
    "valuation": f"{OWN}test_cover_table_is_the_printed_one",
    "index-lines": f"{OWN}test_index_lines",
    "sub-sectors": f"{OWN}test_sub_sectors",
    "openai-prices": "exhibits/test_known_print.py::test_openai_prices_follow_from_the_printed_ratios",
    **dict.fromkeys(
        ("gemini-text-settings", "gemini-multimodal-settings"),
        "exhibits/test_known_print.py::test_settings_of_gemini_scores",
    ),
    "price-cuts": f"{OWN}test_price_cuts_are_computed_and_agree_with_the_print",
    "figures": f"{OWN}test_figures_of_the_text",
    "basket-summary": f"{OWN}test_basket_summary_agrees_with_the_basket_index",
    "basket-members": f"{OWN}test_members_before_and_after_publication",
    "after-lines": "exhibits/test_outcomes.py::test_lines_after_publication_start_when_a_reader_can_trade",
    "rating-outcome": "exhibits/test_outcomes.py::test_stock_ratings_against_the_benchmark",
    "before-table": f"{AFTER}test_table_of_baskets_equals_a_loop",
    "after-table": f"{AFTER}test_table_of_baskets_equals_a_loop",
    "before-random": f"{AFTER}test_chart_and_table_hold_the_same_numbers",
    "after-random": f"{AFTER}test_chart_and_table_hold_the_same_numbers",
    "after-stocks": f"{AFTER}test_stocks_are_all_there_and_sorted",
    "cross-report": f"{AFTER}test_reports_side_by_side",
    "release-heatmap": f"{EFFECTS}test_a_cell_is_the_headline_test_of_the_study",
    "release-paths": f"{EFFECTS}test_paths_start_at_zero_and_end_at_the_studied_caar",
    "release-linked": f"{EFFECTS}test_linked_less_unlinked_is_the_difference",
    "pe-then-now": f"{EFFECTS}test_pe_then_and_now",
    "revisions": f"{EFFECTS}test_revisions_are_changes_of_the_same_year",
    "forward-pe": f"{EFFECTS}test_forward_pe_of_some_sessions_by_a_loop",
    "*pe-band*": f"{EFFECTS}test_bands_touch_the_index_where_its_multiple_is_the_quantile",
    "crowding-summary": f"{DATA}test_crowding_summary_by_a_loop",
    "turnover-share": f"{EFFECTS}test_turnover_share_and_percentile_by_a_loop",
    "breadth": f"{EFFECTS}test_breadth_and_limit_ups_of_a_day_by_a_loop",
    "crowding-releases": f"{EFFECTS}test_crowding_around_a_release_is_the_mean_of_its_days",
    "correlation-*": f"{EFFECTS}test_correlations_before_and_after_publication",
    "shared-names": f"{EFFECTS}test_shared_names_are_counted_over_the_reports",
    "basket-overlap": f"{EFFECTS}test_basket_overlap_by_sets",
    "concentration": f"{EFFECTS}test_concentration_by_hand",
}


def named(name):
    """Return the test that recomputes an exhibit, by its id or the longest pattern that fits."""
    fitting = [pattern for pattern in CHECKED if fnmatchcase(name, pattern)]
    return CHECKED[max(fitting, key=len)] if fitting else None


@pytest.mark.parametrize("report", BOOKS)
def test_every_exhibit_has_a_test_of_its_numbers(ai_theme, report):
    assert [one.id for one in book(ai_theme, report) if named(one.id) is None] == []


def test_the_tests_named_exist():
    for place in set(CHECKED.values()):
        path, name = place.split("::")
        tree = ast.parse((PROJECT / "tests" / path).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, place
