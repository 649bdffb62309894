FROM node:26-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
COPY test/runtime test/runtime
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json build.ts ./
COPY src src
COPY docs/headgate.schema.json docs/
RUN node build.ts && npm prune --omit=dev --no-audit --no-fund
# An image has no place to install it later, for whoever has a store of rate limits.
RUN npm install --save-prod --omit=dev --no-audit --no-fund "iovalkey@$(npm pkg get devDependencies.iovalkey | tr -d '"')"

FROM node:26-slim
ENV NODE_ENV=production
WORKDIR /headgate
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY package.json ./
COPY routes routes
# Certificates are written here: mount a volume to keep them. Everything else may be read-only.
RUN mkdir certs && chown node:node certs
USER node
VOLUME /headgate/certs
EXPOSE 8080 8443
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=2s --start-period=5s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:4600/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/cli/headgate.js"]
CMD ["start"]
