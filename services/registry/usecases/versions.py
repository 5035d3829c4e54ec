"""Versions: registered from what the content store holds, archived, deleted.

Promises one number per content however many callers register it at once, and that no version is ever registered
with an artifact that is missing or about to be collected: marks of the collector are taken away in the same
transaction, before the artifacts are looked for.
"""

from dataclasses import asdict

from mgrd.events.v1.events_pb2 import VersionRegistered
from mgrd.manifest import FORMAT_VERSION, Manifest, ManifestFile
from mgrd.store.port import ContentStore, StoreError
from services.kit.errors import FailedPrecondition, InvalidArgument
from services.registry.domain.artifacts import check_content, check_names
from services.registry.domain.versions import Lineage, Version, VersionState, archived, deleted
from services.registry.usecases.context import Context
from services.registry.usecases.texts import checked_label, checked_text


def create_version(
    ctx: Context, *, model: str, manifest: Manifest, lineage: Lineage, description: str, run_starter: str = ""
) -> Version:
    """The version of this content: a new one, or the one that exists, with its origins extended.

    Whoever started the run that made it counts among its authors, beside the caller.
    """
    ctx.model(model)
    _check_manifest(manifest)
    _check_lineage(lineage)
    known = ctx.versions.by_digest(model, manifest.digest)
    version = known or _new_version(ctx, model=model, manifest=manifest, description=description)
    for registrant in dict.fromkeys(filter(None, (ctx.caller.subject, run_starter))):
        if known is None or _says_more(known, lineage, registrant=registrant):
            ctx.versions.add_lineage(version, lineage, registrant=registrant, create_time=ctx.now)
    if known is None:
        _announce(ctx, version, lineage)
    else:
        ctx.work.audit(version.name, "version.registered_again", run=lineage.run, step=lineage.step)
    return ctx.version(model, version.number)


def archive_version(ctx: Context, *, model: str, number: int) -> Version:
    """Takes a version out of use; refused while an alias points at it."""
    version = ctx.version(model, number)
    ctx.versions.set_state(version, archived(version))
    ctx.work.audit(version.name, "version.archived")
    return ctx.version(model, number)


def delete_version(ctx: Context, *, model: str, number: int) -> Version:
    """Gives an archived version's artifacts up to the collector; the record stays."""
    version = ctx.version(model, number)
    ctx.versions.set_state(version, deleted(version))
    ctx.work.audit(version.name, "version.deleted", digest=version.digest)
    return ctx.version(model, number)


def _new_version(ctx: Context, *, model: str, manifest: Manifest, description: str) -> Version:
    for file in manifest.files:
        ctx.garbage.unmark(file.sha256)
    _check_stored(ctx.store, manifest)
    version = Version(
        model=model,
        number=ctx.models.next_number(model),
        digest=manifest.digest,
        manifest=manifest,
        state=VersionState.ACTIVE,
        author=ctx.caller.subject,
        create_time=ctx.now,
        description=checked_text(description, field="description"),
    )
    ctx.versions.add(version)
    return version


def _says_more(known: Version, lineage: Lineage, *, registrant: str) -> bool:
    is_new_origin = lineage != Lineage() and lineage not in known.lineage
    return is_new_origin or registrant not in known.authors


def _announce(ctx: Context, version: Version, lineage: Lineage) -> None:
    ctx.work.audit(version.name, "version.registered", digest=version.digest, run=lineage.run)
    body = VersionRegistered(version=version.name, digest=version.digest, run=lineage.run, author=ctx.caller.subject)
    ctx.work.publish(body, subject=version.name, key=f"models/{version.model}")


def _check_manifest(manifest: Manifest) -> None:
    if manifest.format_version != FORMAT_VERSION:
        raise InvalidArgument(
            f"manifest format {manifest.format_version} is not known; this registry reads {FORMAT_VERSION}",
            field="manifest.format_version",
        )
    checked_label(manifest.front_end_version, field="manifest.front_end_version")
    checked_label(manifest.architecture, field="manifest.architecture")
    check_names(manifest)


def _check_lineage(lineage: Lineage) -> None:
    for name, value in asdict(lineage).items():
        checked_text(value, field=f"lineage.{name}")


def _check_stored(store: ContentStore, manifest: Manifest) -> None:
    missing = [file for file in manifest.files if not store.exists(file.sha256)]
    if missing:
        named = ", ".join(f"{file.path} ({file.sha256})" for file in missing[:5])
        raise FailedPrecondition(
            f"{len(missing)} of {len(manifest.files)} files are not in the content store: {named}; upload them first",
            reason="ARTIFACTS_MISSING",
        )
    for file in manifest.files:
        _check_file(store, file)


def _check_file(store: ContentStore, file: ManifestFile) -> None:
    try:
        size_bytes = store.size_bytes(file.sha256)
        if size_bytes != file.size_bytes:
            raise InvalidArgument(
                f"{file.path} has {size_bytes} bytes and not {file.size_bytes}",
                field="manifest.files",
                reason="SIZE_MISMATCH",
            )
        with store.open(file.sha256) as stream:
            check_content(file.path, stream=stream, size_bytes=size_bytes)
    except StoreError as error:
        raise FailedPrecondition(f"{file.path}: {error}", reason=error.reason) from error
