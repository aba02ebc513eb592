"""Exhibits of 华泰证券, 从阿里/商汤/华为大模型看应用趋势 (20 April 2023)."""

from __future__ import annotations

from aitheme.exhibits.baskets import after_lines, basket_lines, basket_members, basket_summary
from aitheme.exhibits.figures import figures_table
from aitheme.exhibits.outcomes import rating_outcome
from aitheme.exhibits.printed import printed_table, rating_scale
from aitheme.exhibits.quotes import sector_line as _sector_line
from aitheme.exhibits.register import exhibit_register

__all__ = ["EXHIBITS"]

_REPORT = "htsc-20230420"
_BASKETS = tuple(f"{_REPORT}/{name}" for name in ("data-ip", "video-virtual-human", "games"))

sector_line = _sector_line(
    _REPORT,
    "封面图",
    ("行业走势图", "Media sector against the market"),
    printed=("原图为图片，文字只注来源Wind，未写明指数", "the print is a picture; its text names Wind, not the index"),
)

companies_mentioned = printed_table(
    _REPORT,
    "companies-mentioned",
    "图表42",
    ("报告提及公司表", "Companies mentioned in the report"),
    shown=("seq", "name_printed", "ticker_printed", "symbol", "name_zh", "note"),
    labels={
        "name_printed": ("公司名称", "Company"),
        "ticker_printed": ("印刷代码", "Printed ticker"),
        "name_zh": ("核定名称", "Name"),
    },
)

_PICTURE = ("原图为图片，内容取自正文（改写）", "the print is a picture; the content is from the text, reworded")

alibaba_stack = printed_table(
    _REPORT,
    "alibaba-stack",
    "图表1",
    ("阿里云实现 IaaS、PaaS 和 MaaS 三层架构", "Three layers of Alibaba Cloud"),
    note=_PICTURE,
)

tongyi_features = printed_table(
    _REPORT, "tongyi-features", "图表4", ("通义千问具备多个功能", "Functions of Tongyi Qianwen"), note=_PICTURE
)

tongyi_scenarios = printed_table(
    _REPORT, "tongyi-scenarios", "图表5、6", ("通义千问的应用场景", "Scenarios of Tongyi Qianwen"), note=_PICTURE
)

tongyi_products = printed_table(
    _REPORT,
    "tongyi-products",
    "图表7、14",
    ("阿里产品接入通义千问的安排", "Alibaba products connecting to Tongyi Qianwen"),
    shown=("product", "status", "description"),
    note=_PICTURE,
)

dingtalk_functions = printed_table(
    _REPORT,
    "dingtalk-functions",
    "图表8、9、10、11、12、13",
    ("钉钉接入通义千问后的功能", "DingTalk functions with Tongyi Qianwen"),
    note=("原图为图片；正文称近10项，逐条可列10项", "the prints are pictures; the text says nearly ten and names ten"),
)

sensetime_maas = printed_table(
    _REPORT,
    "sensetime-maas",
    "图表24、25",
    ("商汤面向客户提供的 MaaS 服务与 API", "SenseTime MaaS services and APIs"),
    note=_PICTURE,
)

pangu_layers = printed_table(
    _REPORT,
    "pangu-layers",
    "图表26",
    ("三次布局盘古大模型", "Three layers of Pangu"),
    note=("原图为图片，内容取自正文；原题“三次”疑为“三层”之误", "the print is a picture; the content is from the text"),
)

sensenova = printed_table(
    _REPORT,
    "sensenova-lineup",
    "图表20、21、22、23",
    ("商汤日日新产品", "SenseNova product line"),
    shown=("product", "product_en", "params_100m", "capabilities", "printed_metrics"),
)

first_partners = printed_table(
    _REPORT,
    "tongyi-first-partners",
    "正文",
    ("通义千问首批合作企业", "First partners of Tongyi Qianwen"),
    shown=("seq", "name_printed", "name_zh", "symbol", "in_exhibit_42", "certainty", "note"),
)

game_cases = printed_table(
    _REPORT,
    "game-aigc-cases",
    "图表38、39、40、41",
    ("游戏AIGC案例", "AI content cases in games"),
    shown=("developer", "symbol", "title", "tool", "tool_vendor", "use", "status"),
    note=(
        "原图为图片，内容取自正文；Repilca照印，当指Replica",
        "the prints are pictures; Repilca as printed, for Replica",
    ),
)


figures = figures_table(_REPORT, ("报告引用的成本与模型数字", "Costs and model figures the report quotes"))

lines_of_baskets = basket_lines(
    _REPORT,
    "basket-lines",
    "附图",
    ("各章所举A股标的一年走势", "The A-shares of each chapter over a year"),
    baskets=_BASKETS,
)
summary_of_baskets = basket_summary(_REPORT, "附表", baskets=_BASKETS)
members_of_baskets = basket_members(
    _REPORT,
    "附表",
    ("数据集/IP、视频/虚拟人、游戏三章标的", "Names of the chapters on data and IP, video and games"),
    baskets=_BASKETS,
)
after_publication = after_lines(_REPORT, baskets=_BASKETS)
ratings = rating_outcome(_REPORT)
scale = rating_scale(_REPORT)
register = exhibit_register(_REPORT)

EXHIBITS = (
    sector_line, alibaba_stack, tongyi_features, tongyi_scenarios, tongyi_products, dingtalk_functions, first_partners,
    sensenova, sensetime_maas, pangu_layers, game_cases, companies_mentioned, figures, register,
    lines_of_baskets, summary_of_baskets, members_of_baskets, after_publication, ratings, scale,
)  # fmt: skip
