"""A caller without a phone: dials a number over SIP, hums a tone, presses digits, hangs up.

python call.py --dial 5550100 --number +12025550100
"""

import argparse
import asyncio

from cti.demo.callers import Caller, Persona


def main() -> None:
    """Make one call and tell how it went."""
    parser = argparse.ArgumentParser(description="Make one call over SIP.")
    parser.add_argument("--dial", default="5550100", help="the number to call")
    parser.add_argument("--number", default="+12025550100", help="who is calling")
    parser.add_argument("--digits", default="", help="keys to press once the call is answered")
    parser.add_argument("--stay", type=float, default=20.0, help="hang up after so many seconds")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--sip-port", type=int, default=5070)
    args = parser.parse_args()
    persona = Persona(number=args.number, dials=args.dial, digits=args.digits, stays_s=args.stay)
    caller = Caller(args.host, args.sip_port, tell=print)
    print(asyncio.run(caller.call(persona)))


if __name__ == "__main__":
    main()
