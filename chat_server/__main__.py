"""`python -m chat_server` is `renraku`."""

from chat_server.cli.main import main

main()
