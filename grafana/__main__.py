"""Write the dashboards, rules and documentation; with --check, tell what is not as it would be written.

python -m grafana            writes
python -m grafana --check    exit 1 and one line for each fault in what is committed
"""

from __future__ import annotations

import argparse
import sys

from grafana import check, output


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m grafana", description="Dashboards and alert rules as code."
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; tell what is wrong with the files"
    )
    if parser.parse_args().check:
        faults = check.faults()
        for fault in faults:
            print(fault, file=sys.stderr)
        return 1 if faults else 0
    for path in output.write():
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
