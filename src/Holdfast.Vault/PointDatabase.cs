namespace Holdfast.Vault;

/// <summary>What a restore point of a database is of.</summary>
/// <param name="Engine">Name of the engine, such as <c>rocksdb</c>.</param>
/// <param name="Id">The database's own id, wherever it lies; null for one that has none.</param>
/// <param name="Sequence">The engine's number of the last change in it; null where it has none.</param>
/// <param name="Verified">How much of it the engine had checked when the point was made.</param>
public sealed record PointDatabase(string Engine, string? Id, ulong? Sequence, CheckDepth Verified);

/// <summary>How much of a database was checked before it went into the vault. The value is on disk.</summary>
public enum CheckDepth : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>That it opens, and all that no earlier point had.</summary>
    New = 1,

    /// <summary>Everything.</summary>
    All = 2,
}
