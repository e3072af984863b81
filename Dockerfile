# syntax=docker/dockerfile:1
# An image with pinclean and nothing else: no shell, no package manager, no root.
#   docker build --tag pinclean .
# deploy/docker/README.md says how to use it; deploy/docker/rehearse goes through these
# steps without a container engine.

FROM rust:1.95-bookworm AS build
WORKDIR /src
# The dependencies, in a layer that changes only with Cargo.toml and Cargo.lock: they are
# built for a package of the same name without any code. Cargo wants each target that the
# manifests name.
COPY Cargo.toml Cargo.lock ./
COPY benches/Cargo.toml benches/
RUN mkdir src \
 && echo 'fn main() {}' > src/main.rs \
 && cp src/main.rs benches/instructions.rs \
 && touch src/lib.rs benches/s3.rs benches/stages.rs \
 && cargo build --locked --profile dist --bin pinclean
# The transforms and the questions are compiled in. Cargo goes by times, and files keep theirs when they are
# copied: without the touch they would be older than what was built from nothing.
COPY transforms transforms
COPY questions questions
COPY src src
RUN touch src/main.rs src/lib.rs \
 && cargo build --locked --profile dist --bin pinclean

FROM debian:bookworm-slim AS root
COPY deploy/docker/make-root /
RUN apt-get update && /make-root /image && mkdir /data

FROM scratch
COPY --from=root /image /
COPY --from=root --chown=65532:65532 /data /data
COPY LICENSE-APACHE LICENSE-MIT /usr/share/doc/pinclean/
COPY --from=build /src/target/dist/pinclean /usr/bin/pinclean
# By number, so that Kubernetes can tell that it is not root.
USER 65532:65532
# Its pinclean.toml counts, and ./clean below it is the output unless --out says otherwise.
WORKDIR /data
ENV PATH=/usr/bin HOME=/data
LABEL org.opencontainers.image.title="pinclean" \
      org.opencontainers.image.description="Turns the JSON that a Kafka S3 sink wrote into clean tables, and proves that nothing was lost" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
STOPSIGNAL SIGTERM
ENTRYPOINT ["pinclean"]
