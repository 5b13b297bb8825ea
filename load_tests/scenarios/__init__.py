"""One module a scenario; `locustfile.py` names them all."""
