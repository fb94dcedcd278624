# The worker, ready to start: production's packages, the code and the prebuilt workflow bundle. It holds no credential and
# no target: both are mounted (docs/production.md).
FROM node:22.23.3-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No package has a script that is needed at run time. Temporal's SDK brings its native part for five platforms.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
    && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 \
         ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -r {} +
COPY LICENSE tsconfig.json ./
COPY activities activities
COPY audit audit
COPY worker worker
COPY workflows workflows
# Whoever builds it may keep files to himself, and the worker is another user.
RUN node --import tsx worker/build.ts && chmod -R a+rX .

FROM node:22.23.3-bookworm-slim
# A new volume that is mounted here belongs to whom the folder belongs to.
RUN install -d -o node -g node /var/lib/cutover/records
WORKDIR /app
COPY --from=build /app ./
ENV NODE_ENV=production \
    CUTOVER_TARGETS=/etc/cutover/targets \
    CUTOVER_HEALTH_PORT=8080
# By number: who checks that it is not root need not ask the image for names. It is `node`.
USER 1000:1000
# Docker marks the container and does not restart it: a worker waits for Temporal by itself.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.CUTOVER_HEALTH_PORT}/readyz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Not npm: as the container's first process it would keep SIGTERM from the worker.
CMD ["node", "--enable-source-maps", "dist/worker.js"]
