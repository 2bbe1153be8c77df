# One image for the service, the workers and every command: docs/deploying.md
FROM node:22-slim AS build
WORKDIR /app
ENV ONNXRUNTIME_NODE_INSTALL=skip TURBO_TELEMETRY_DISABLED=1 DO_NOT_TRACK=1
COPY . .
# No install scripts, and so no compiler: Node 22 has an SQLite of its own, and PostgreSQL needs none.
RUN npm ci --ignore-scripts
RUN npm run build
RUN npm prune --omit=dev --ignore-scripts && rm -rf apps/*/src packages/*/src
# Three quarters of the size are ONNX and OCR, which are optional and npm keeps as peers: leave this line out to have them.
RUN cd node_modules && rm -rf onnxruntime-* @huggingface/transformers tesseract.js* @tesseract.js-data typescript @typescript

FROM node:22-slim
ENV NODE_ENV=production AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true
# glibc gives memory back that it would keep for later otherwise.
ENV MALLOC_TRIM_THRESHOLD_=131072
WORKDIR /app
COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/packages packages
COPY --from=build /app/apps apps
RUN mkdir /data /uploads && chown node:node /data /uploads
USER node
# An index in a folder and keys; files that are sent to the service.
VOLUME ["/data", "/uploads"]
WORKDIR /data
EXPOSE 8420
ENTRYPOINT ["node", "/app/apps/cli/bin/aquifer.js"]
CMD ["--help"]
