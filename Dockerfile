# One image for every service; docker-compose.yml says which process each container runs.
FROM python:3.12-slim AS build
COPY requirements/run.txt /build/run.txt
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r /build/run.txt

FROM python:3.12-slim
RUN useradd --uid 10001 --create-home setright \
 && install -d -o setright -g setright /data /srv/static
COPY --from=build /opt/venv /opt/venv
COPY --chown=setright:setright . /srv/setright
WORKDIR /srv/setright
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/data \
    STATIC_ROOT=/srv/static \
    HOST=0.0.0.0
USER setright
# Needs some key to start; nothing that is collected holds it.
RUN python -m compileall -q . \
 && SECRET_KEY=only-while-the-image-is-built python manage.py collectstatic --noinput -v0
VOLUME /data
EXPOSE 8000 8001
CMD ["python", "manage.py", "serve", "web"]
