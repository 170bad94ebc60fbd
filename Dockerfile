# Seawall for docker-compose.yml: what trades, without tests and dashboard; not root.
FROM python:3.13-slim AS built
WORKDIR /src
COPY setup.cfg pyproject.toml constraints.txt README.md LICENSE fetch_polygon_intraday_data.py ./
COPY analyzers analyzers
COPY backtest backtest
COPY brokers brokers
COPY feeds feeds
COPY live live
COPY strategies strategies
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --constraint constraints.txt '.[live,ibkr]'

FROM python:3.13-slim
RUN useradd --uid 1000 --create-home seawall && install -d -o seawall -g seawall /data
COPY --from=built /venv /venv
USER seawall
WORKDIR /data
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 NUMBA_CACHE_DIR=/tmp/numba MPLCONFIGDIR=/tmp/matplotlib
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "live"]
