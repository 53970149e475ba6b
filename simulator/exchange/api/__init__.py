"""The HTTP API as the exchange answers it: versions, documents, lists."""
