"""Charts that draw themselves in any page without network: each carries the Vega libraries, packed.

JupyterLab 4 draws Vega-Lite up to version 5 by itself, Altair writes version 6 and would fetch its libraries from a content
network. So the chart brings them; a page unpacks them once, whatever the number of charts.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from functools import cache
from string import Template
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RENDERER", "chart_html", "enable_renderer", "vega_library"]

RENDERER = "aitheme"

_PAGE = Template("""<div class="aitheme-chart" id="$id">$picture</div>
<style>
.aitheme-chart .vega-embed { display: inline-flex; flex-direction: column; }
.aitheme-chart .vega-bindings { order: -1; display: flex; gap: 1.5em; flex-wrap: wrap; padding: 4px 0 8px 10px; }
.aitheme-chart .vega-bind-name { display: inline-block; margin-right: .5em; }
</style>
<script type="text/javascript">
(async function () {
  const version = "$version";
  const libraries = (window.aithemeVega = window.aithemeVega || {});
  libraries[version] = libraries[version] || (async () => {
    const packed = Uint8Array.from(atob("$library"), (letter) => letter.charCodeAt(0));
    const text = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
    const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    await import(address);
    URL.revokeObjectURL(address);
    return window.vegaEmbed;
  })();
  let place;
  try {
    const embed = await libraries[version];
    place = document.querySelector("#$id:not([data-drawn])");
    if (!place) { return; }
    place.dataset.drawn = "yes";
    const drawn = document.createElement("div");
    await embed(drawn, $spec, { actions: false, renderer: "svg" });
    place.replaceChildren(drawn);
  } catch (error) {
    place = place || document.getElementById("$id");
    if (place) { place.append("The interactive chart could not be drawn: " + error); }
  }
})();
</script>""")


def chart_html(spec: Mapping[str, Any], picture: str = "") -> str:
    """Return a piece of HTML that draws a Vega-Lite chart, offline and with its interaction.

    Parameters
    ----------
    spec
        Vega-Lite 6 specification with its data.
    picture
        SVG shown where scripts do not run.
    """
    library, version = vega_library()
    # A closing tag inside a string would end the script element.
    text = json.dumps(spec, ensure_ascii=False).replace("<", "\\u003c")
    return _PAGE.substitute(
        id=f"aitheme-{uuid4().hex[:12]}", library=library, version=version, spec=text, picture=picture
    )


def enable_renderer() -> None:
    """Let every Altair chart of this process show itself through :func:`chart_html`."""
    import altair as alt

    alt.renderers.register(RENDERER, _mimebundle)
    alt.renderers.enable(RENDERER)


def _mimebundle(spec: dict[str, Any], **_options: Any) -> dict[str, str]:
    return {"text/html": chart_html(spec)}


@cache
def vega_library() -> tuple[str, str]:
    """Return Vega, Vega-Lite and Vega-Embed, packed, and a name for that version of them."""
    import vl_convert

    bundle: str = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # the stub has no default for the snippet
    version = hashlib.sha256(bundle.encode()).hexdigest()[:8]
    return base64.b64encode(gzip.compress(bundle.encode(), mtime=0)).decode(), version
