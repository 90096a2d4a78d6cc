"""Private side and risk engine: everything a trader or a risk manager runs."""
