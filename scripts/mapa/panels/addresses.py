"""Addresses that people type or keep: the page's other names lead to it, unknown ones say so.

Dash answers every path with its page and status 200, and tells in English inside it that there is
none.
"""

from __future__ import annotations

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as Answer

HOME = "/"
OTHER_NAMES = {"/oferta", "/index.html"}
"""Of the page on the offer, in lower case and without a slash at the end."""
ANY_PATH = "/<path:path>"
"""Dash's rule for what no other rule knows."""
NOT_FOUND = """<!doctype html>
<html lang="pt-BR">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Página não encontrada — Mapa Social da Saúde</title>
<style>body{font:18px/1.5 Inter,Segoe UI,Roboto,sans-serif;max-width:40rem;margin:4rem auto;
padding:0 1rem;color:#1a1a1a}a{color:#0072b2}</style>
</head>
<body>
<h1>Página não encontrada</h1>
<p>Este endereço não existe no Mapa Social da Saúde.</p>
<p><a href="/">Ir para o painel da oferta</a></p>
</body>
</html>
"""


def guard(server: Flask) -> None:
    """Lead the page's other names to it, and answer 404 in Portuguese to what is no address."""

    @server.before_request
    def lead() -> Answer | None:
        if request.endpoint != ANY_PATH:
            return None
        if request.path.rstrip("/").lower() in OTHER_NAMES:
            return redirect(HOME)
        return Response(NOT_FOUND, status=404, mimetype="text/html")
