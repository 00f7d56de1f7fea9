"""`switchroom users`: make the hashes that a configuration holds instead of passwords."""

from __future__ import annotations

import argparse
import getpass
import sys


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "users",
        help="make password hashes for the configuration",
        epilog="Example: switchroom users ha1 1001 --realm switchroom",
    )
    what = parser.add_subparsers(dest="what", required=True)
    hashing = what.add_parser(
        "hash", help="argon2 hash of a desk or API password (for password_hash)"
    )
    digest = what.add_parser("ha1", help="SIP digests of a phone (for ha1_sha256 and ha1_md5)")
    digest.add_argument("number")
    digest.add_argument("--realm", default="switchroom")
    for each in (hashing, digest):
        each.add_argument(
            "password",
            nargs="?",
            choices=("-",),
            metavar="-",
            help="read the password from standard input, also from a terminal; it is asked for otherwise",
        )


def run(args: argparse.Namespace) -> int:
    """Run the command; the password is asked for, or read from standard input."""
    if sys.stdin.isatty() and args.password != "-":
        password = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != password:
            print("The two differ.", file=sys.stderr)
            return 1
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        print("An empty password is no password.", file=sys.stderr)
        return 1
    if args.what == "hash":
        from argon2 import PasswordHasher

        print(f'password_hash = "{PasswordHasher().hash(password)}"')
        return 0
    from switch.sip.digest import ha1

    print(f'ha1_sha256 = "{ha1(args.number, args.realm, password, "SHA-256")}"')
    print(f'ha1_md5 = "{ha1(args.number, args.realm, password, "MD5")}"')
    return 0
