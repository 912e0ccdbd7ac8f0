"""The contract as a document: openapi.json, made from the routes themselves and from what stands in this folder."""
