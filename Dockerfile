# oddjet with the environment that is tested (envs/*.lock), for `docker run` and as a base for sites.
#   docker build --tag oddjet .
#   docker run --rm --volume "$PWD:/work" oddjet --cores all
FROM python:3.11-slim-bookworm
# Snakemake runs its jobs in bash, and watches them with ps.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends bash procps \
    && rm -rf /var/lib/apt/lists/*
COPY envs/requirements.lock envs/torch-cuda.lock /opt/oddjet/
RUN pip install --no-cache-dir --no-deps --require-hashes \
    --requirement /opt/oddjet/requirements.lock --requirement /opt/oddjet/torch-cuda.lock
# The workflow itself stays outside: the code that is digested is the one in the folder that is mounted.
WORKDIR /work
ENTRYPOINT ["snakemake"]
