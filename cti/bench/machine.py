"""The facts of the machine without which figures mean nothing."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path


def machine() -> dict[str, str]:
    """Processor, cores, kernel, Python, load at this moment."""
    model = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return {
        "processor": model or platform.processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load before": f"{os.getloadavg()[0]:.2f}",
        "sipp": shutil.which("sipp") or "not installed",
    }
