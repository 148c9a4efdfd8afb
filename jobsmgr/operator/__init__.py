"""The deployed process: how its parts are put together, who leads, how it ends. No rule about workflows here."""
