"""Writes the compressed candle text of Sina's pages, so that akshare's own JavaScript decoder can read it back."""

from __future__ import annotations

from datetime import date

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_EPOCH = date(1990, 12, 19)
_PRICE, _VOLUME, _AMOUNT = 8, 15, 17  # widths in units of three bits


class _Bits:
    """Least significant bit first, six bits to a character."""

    def __init__(self):
        self.bits = []

    def flag(self, *values):
        self.bits.extend(int(v) for v in values)

    def number(self, value, width):
        value &= (1 << width) - 1
        self.bits.extend(value >> i & 1 for i in range(width))

    def step(self, value):
        """A signed count in unary, as the decoder's N() reads it."""
        self.flag(value > 0, *([1] * (abs(value) - 1)), 0)

    def text(self):
        padded = self.bits + [0] * (-len(self.bits) % 6)
        return "".join(
            _ALPHABET[sum(bit << k for k, bit in enumerate(padded[i : i + 6]))] for i in range(0, len(padded), 6)
        )


def encode(rows, decimals=2):
    """Encode (date, open, high, low, close, volume, amount) rows in format 3466; two decimals of price."""
    scale = 10**decimals
    bits = _Bits()
    bits.number(3466, 12)
    bits.number(63, 6)
    close = volume = amount = 0
    for n, (day, opened, high, low, last, shares, money) in enumerate(rows):
        o, h, lo, c = (round(v * scale) for v in (opened, high, low, last))
        bits.flag(1, 1)
        if n == 0:
            bits.flag(1, 1, 1, 0, 0, 0, 0)  # parameters: amounts are written out, no separate prices, no weekdays
            bits.flag(0, 0, 0)  # decimals stay: prices two, volume and amount none
        else:
            bits.flag(0)
        bits.flag(1)
        for width, default in ((_PRICE, 3), (_PRICE, 3), (_PRICE, 3), (_PRICE, 3), (_VOLUME, 5), (_AMOUNT, 5)):
            if n == 0:
                bits.flag(1)
                bits.step(width - default)
            else:
                bits.flag(0)
        bits.flag(1)
        bits.number(1, 3)
        bits.number((day - _EPOCH).days, 18)
        bits.flag(0)
        for value, width in (
            (o - close, _PRICE),
            (h - o, _PRICE),
            (o - lo, _PRICE),
            (c - o, _PRICE),
            (round(shares) - volume, _VOLUME),
            (round(money) - amount, _AMOUNT),
        ):
            bits.number(value, 3 * width)
        close, volume, amount = c, round(shares), round(money)
    bits.flag(1, 1, 0, 0, 0)
    return bits.text()
