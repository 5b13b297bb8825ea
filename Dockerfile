FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY requirements/runtime.txt requirements/build.txt requirements/
RUN python -m venv /opt/ops \
    && /opt/ops/bin/pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: -r requirements/runtime.txt \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: -r requirements/build.txt
COPY pyproject.toml README.md LICENSE* ./
COPY ops ops
COPY web web
COPY kiosk kiosk
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation -w /dist . \
    && /opt/ops/bin/pip install --no-cache-dir --no-deps /dist/*.whl

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/ops ops \
    && install -d -o ops -g ops /var/lib/ops
COPY --from=build /opt/ops /opt/ops
ENV PATH=/opt/ops/bin:$PATH PYTHONUNBUFFERED=1
USER ops
WORKDIR /var/lib/ops
VOLUME /var/lib/ops
EXPOSE 8000 8001
ENTRYPOINT ["ops"]
CMD ["serve"]
