"""What must survive: units of work over SQL, migrations, and the actor that owns the connection.

The only room that knows asyncio or aiosqlite.
"""
