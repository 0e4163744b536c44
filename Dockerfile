# The distribution is named too: its SQLite has to be 3.42 or newer.
FROM python:3.13-slim-trixie

RUN groupadd --system --gid 10001 easel \
 && useradd --system --uid 10001 --gid easel --home-dir /app --no-create-home --shell /usr/sbin/nologin easel \
 && install --directory --owner easel --group easel --mode 0750 /data

WORKDIR /app

# A layer of their own: it is built again only when the requirements change.
COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore -r requirements.txt

# What runs, and nothing else; owned by root, so that the bot can't change itself.
COPY LICENSE bot.py ./
COPY core ./core
COPY cogs ./cogs
RUN python -m compileall -q bot.py core cogs

ENV PYTHONUNBUFFERED=1 \
    DATA_DIR=/data \
    HTTP_PORT=8080

USER 10001:10001
VOLUME /data

HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['HTTP_PORT']), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]

CMD ["python", "bot.py"]
