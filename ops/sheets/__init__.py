"""Tables that come as files: bytes to rows of cells, and files out of requests.

Below every part that imports or exports, so that there is one reader of CSV and XLSX
(`reading`) and one way for a file to come in (`upload`).
"""
