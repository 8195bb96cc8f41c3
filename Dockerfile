# One image for web server, worker and commands: `gunicorn wsgi:app`, `flask worker`, `flask county load ...`
FROM python:3.11-slim AS build
COPY requirements.txt .
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

FROM python:3.11-slim
RUN useradd --system --create-home --uid 10001 terminlotse && install -d -o terminlotse /var/lib/terminlotse
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY wsgi.py gunicorn.conf.py ./
COPY booking_service booking_service
COPY routing routing
COPY migrations migrations
COPY examples examples
ENV PATH=/opt/venv/bin:$PATH FLASK_APP=wsgi.py VAR_DIR=/var/lib/terminlotse \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER terminlotse
RUN python -m routing.warm
VOLUME /var/lib/terminlotse
EXPOSE 8000
HEALTHCHECK --start-period=20s CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ.get('PORT', '8000')}/api/v1/openapi.json\", timeout=3)"]
CMD ["gunicorn", "wsgi:app"]
