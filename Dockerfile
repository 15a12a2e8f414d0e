# docker build -t ipin-proxy .
# With the client for REDIS_URL: --build-arg WITH_REDIS=1
# For reproducible builds, pin the base image by digest: --build-arg NODE_IMAGE=node:24-alpine@sha256:...
ARG NODE_IMAGE=node:24-alpine

FROM ${NODE_IMAGE} AS build
ARG WITH_REDIS=0
WORKDIR /build
COPY package.json package-lock.json bundle.js ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY src ./src
RUN npm run -s bundle
RUN if [ "$WITH_REDIS" = 1 ]; then \
      mkdir dist/node_modules && cp -R node_modules/redis node_modules/@redis dist/node_modules/ \
      && find dist/node_modules \( -name '*.map' -o -name '*.d.ts' \) -delete; \
    fi

FROM ${NODE_IMAGE}
ENV NODE_ENV=production DB_PATH=/data/ipin-proxy.db
WORKDIR /app
# The server needs neither npm nor yarn. /data is for a volume. /app is the working folder, also for a single mounted database file.
RUN rm -rf /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/corepack /opt/yarn-* \
      /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg \
  && mkdir -p /app /data && chown 1000:1000 /app /data
# The program is outside the working folder and belongs to root, because the owner of a folder can replace its files.
COPY package.json /opt/ipin-proxy/
COPY public /opt/ipin-proxy/public
COPY --from=build /build/dist /opt/ipin-proxy/dist
RUN chmod -R a-w,a+rX /opt/ipin-proxy
USER 1000:1000
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=3 \
  CMD ["node", "-e", "const { HOST, PORT } = process.env; const host = !HOST || HOST === '0.0.0.0' || HOST === '::' ? '127.0.0.1' : HOST; require('node:http').get({ host, port: PORT || 3000, path: '/health' }, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
CMD ["node", "/opt/ipin-proxy/dist/server.js"]
