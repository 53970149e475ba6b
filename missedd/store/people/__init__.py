"""Leads, consents, suppressions, verifications and conversions on disk; erasure and retention."""
