"""Print what happens in a running centre: the state first, then every event.

python listen.py --server http://127.0.0.1:8080 --login super --password desk-super
"""

import argparse
import asyncio
from datetime import datetime

from cti.client import ApiClient, ApiError, ConnectionLost, ServerUnreachableError, StreamEnded
from cti.schema import Event, FlowStep, Snapshot


def told(event: Event) -> str:
    """One event in one line."""
    at = datetime.fromtimestamp(event.at).astimezone().strftime("%H:%M:%S")
    concerns = (event.interaction_id, event.queue, event.agent_id)
    detail = event.data.detail if isinstance(event.data, FlowStep) else ""
    return f"{at}  {event.type:<18}  {'  '.join(each for each in (*concerns, detail) if each)}"


async def listen(server: str, login: str, password: str) -> None:
    """Sign on and print until the server says good-bye; a broken connection is opened again."""
    async with ApiClient(server) as api:
        await api.sign_on(login, password)
        async for item in api.stream():
            match item:
                case Snapshot():
                    print(f"{len(item.queues)} queues, {len(item.agents)} agents", flush=True)
                case Event():
                    print(told(item), flush=True)
                case ConnectionLost():
                    print(f"connection lost, trying again in {item.retry_in_s:.0f} s", flush=True)
                case StreamEnded():
                    return


def main() -> None:
    """Read the command line and listen until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Print the events of a running centre.")
    parser.add_argument("--server", default="http://127.0.0.1:8080")
    parser.add_argument("--login", default="super")
    parser.add_argument("--password", default="desk-super")
    args = parser.parse_args()
    try:
        asyncio.run(listen(args.server, args.login, args.password))
    except KeyboardInterrupt:
        pass
    except (ApiError, ServerUnreachableError) as error:
        raise SystemExit(f"listen.py: {error}") from error


if __name__ == "__main__":
    main()
