"""Everything of Easel that is not Discord. Never imports discord, cogs, playground or bot."""
