"""dataframes.py PAGE WORK runs the pandas and the polars of PAGE in WORK, where quick.parquet lies, and
compares the means that they print with those of table.json."""

import contextlib
import io
import json
import os
import re
import sys

page, work = open(sys.argv[1], encoding="utf-8").read(), sys.argv[2]
os.chdir(work)
cells = json.load(open("table.json", encoding="utf-8"))["tables"][0]["cells"]
want = {c["row"]["method"]: round(c["mean"], 4) for c in cells}
assert len(want) >= 3, want

for library, lines in (("pandas", 3), ("polars", 0)):
    code = re.search(r"## %s\n\n```python\n(.*?)```" % library, page, re.S).group(1)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, library, "exec"), {})
    found = {}
    for line in out.getvalue().splitlines()[lines:]:
        method, mean, _ = line.rsplit(maxsplit=2)
        found[method.strip()] = float(mean)
    if found.keys() != want.keys() or any(abs(found[m] - want[m]) > 1.01e-4 for m in want):
        sys.exit(f"{library} prints {found}, want {want}")
    print(f"{library}: {len(found)} means as benchstat-report's")
