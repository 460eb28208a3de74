"""Small code lists for tests, written as the statistical office writes them. The city of Luyuan (9901) is invented."""

from __future__ import annotations

from pathlib import Path

#: A city of one district and one banner; the codes are those of the yearly lists.
LUYUAN = {
    "990100000000": "鹿原市",
    "990101000000": "市辖区",
    "990102000000": "东原区",
    "990102001000": "长青街道办事处",
    "990102001001": "花园社区居委会",
    "990102001002": "钢花社区居委会",
    "990102002000": "和顺街道办事处",
    "990102002001": "松林社区居委会",
    "990102100000": "南河镇",
    "990102100200": "上杨柳村委会",
    "990102100201": "下杨柳村委会",
    "990121000000": "北甸旗",
    "990121200000": "白音苏木",
    "990121200200": "乌兰嘎查",
    "990121200201": "查干嘎查",
}

HEADER = ("year", "code", "level", "parent", "name", "urban_rural_type")
_LEVELS = {4: "2", 6: "3", 9: "4", 12: "5"}


def level(code: str) -> int:
    return next(n for n in (4, 6, 9, 12) if set(code[n:]) <= {"0"})


def rows(year: int, divisions: dict[str, str]) -> list[list[str]]:
    """The rows of one year: year, code, level, parent, name, urban-rural type."""
    above = {4: 2, 6: 4, 9: 6, 12: 9}
    return [
        [
            str(year),
            code,
            _LEVELS[level(code)],
            code[: above[level(code)]].ljust(12, "0"),
            name,
            ("220" if name.endswith(("村委会", "嘎查")) else "111") if level(code) == 12 else "",
        ]
        for code, name in divisions.items()
    ]


def write(folder: Path, years: dict[int, dict[str, str]], name: str = "codes.csv") -> Path:
    """A file with the lists of several years."""
    return write_rows(
        folder, [row for year, divisions in years.items() for row in rows(year, divisions)], name
    )


def write_rows(folder: Path, table: list[list[str]], name: str = "codes.csv") -> Path:
    file = folder / name
    file.write_text("\n".join(",".join(row) for row in [list(HEADER), *table]) + "\n", encoding="utf-8")
    return file
