"""Exposure and margin reports: tables, pictures, exports."""
