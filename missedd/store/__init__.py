"""Everything that must survive a restart: units of work over SQL, migrations, and the writing actor.

This is the only package that imports asyncio or aiosqlite.
"""
