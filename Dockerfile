# The container image. Needs nothing but a Debian-like BASE with Python and its venv module, Debian's packages, the Python
# package index and the npm registry: Node comes from the Python package index too, so there is one base image to trust.
ARG BASE=python:3.13-slim-bookworm
# An image that has the helpers already, instead of the stage of that name.
ARG WITH_HELPERS=helpers


# The client: static files.
FROM ${BASE} AS client
WORKDIR /src
COPY requirements-node.lock ./
RUN python3 -m venv /node \
 && /node/bin/pip install --quiet --no-cache-dir --require-hashes --no-deps -r requirements-node.lock
ENV PATH=/node/bin:$PATH
COPY web/package.json web/package-lock.json web/.npmrc web/
RUN cd web && npm ci --ignore-scripts
COPY web web
RUN mkdir chat_server && cd web && npm run build


# The server: a virtual environment without pip, at the path where it will run.
FROM ${BASE} AS server
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN python3 -m venv /build \
 && python3 -m venv --without-pip /opt/renraku \
 && /build/bin/pip install --quiet --no-cache-dir --require-hashes --no-deps -r requirements-build.lock \
 && /build/bin/pip --python /opt/renraku/bin/python install --quiet --no-cache-dir --require-hashes --no-deps \
        -r requirements.lock
COPY . .
COPY --from=client /src/chat_server/web chat_server/web
RUN /build/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /wheel . \
 && /build/bin/pip --python /opt/renraku/bin/python install --quiet --no-cache-dir --no-index --no-deps /wheel/*.whl \
 && mkdir /data


# The programs that Renraku calls to open documents of others (scripts/debian-helpers), each behind walls of its own.
FROM ${BASE} AS helpers
ARG HELPERS="libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui bubblewrap fonts-noto-cjk libpangoft2-1.0-0"
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends ${HELPERS} >/dev/null \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/* /var/log/apt /var/log/dpkg.log /var/log/alternatives.log


FROM ${WITH_HELPERS}
# Nothing else is run in this stage, so nothing of the building machine can stay in it.
COPY --from=server /opt/renraku /opt/renraku
COPY --from=server --chown=10001:10001 /data /var/lib/renraku
# The root file system may be mounted read-only: only the data folder and /tmp are written.
ENV PATH=/opt/renraku/bin:$PATH \
    HOME=/var/lib/renraku \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    RENRAKU_DATA=/var/lib/renraku \
    RENRAKU_ADDRESS=0.0.0.0 \
    RENRAKU_PORT=8080
# A number, not a name: an orchestrator can then see that it is not root.
USER 10001:10001
WORKDIR /var/lib/renraku
VOLUME /var/lib/renraku
EXPOSE 8080
STOPSIGNAL SIGTERM
# Reads the same settings as the server, so it also finds one that listens elsewhere.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["renraku", "health"]
ENTRYPOINT ["renraku"]
CMD ["serve"]
