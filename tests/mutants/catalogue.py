"""All seeded defects. Nothing is run here."""

from tests.mutants import cluster, core, engine, monitoring, plugins

MUTANTS = (*core.MUTANTS, *plugins.MUTANTS, *engine.MUTANTS, *cluster.MUTANTS, *monitoring.MUTANTS)
