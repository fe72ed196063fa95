"""What is wrong with single pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .findings import Finding
from .looking import ENDINGS, Look

SMALL = 16  # pixels: a shorter side shows nothing


def picture_findings(looks: Sequence[Look], root: Path) -> list[Finding]:
    """Pictures that cannot be read, broke off, are something else than their ending says, are tiny, or are turned by EXIF."""
    findings = []
    for look in looks:
        if look.problem:
            findings.append(Finding(f"picture-{look.problem}", look.path))
        if look.kind and look.path.suffix.lower() not in ENDINGS[look.kind]:
            findings.append(Finding("picture-kind", look.path, 0, {"ending": look.path.suffix, "kind": look.kind}))
        if look.readable and min(look.size) < SMALL:
            findings.append(Finding("picture-tiny", look.path, 0, {"wide": look.size[0], "tall": look.size[1]}))
    turned = [look for look in looks if look.turned]
    if turned:
        findings.append(Finding("pictures-turned", root, 0, {"count": len(turned), "first": str(turned[0].path)}))
    return findings
