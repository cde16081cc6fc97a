namespace Holdfast.Log;

/// <summary>What is durable when an append returns.</summary>
public enum Durability
{
    /// <summary>Nothing: the log syncs only when a segment is sealed, and when asked to.</summary>
    None,

    /// <summary>Nothing yet; what was appended is synced after <see cref="LogOptions.Interval"/> at the latest.</summary>
    Interval,

    /// <summary>The append, and all before it. Appenders that come at the same time share a sync.</summary>
    Group,

    /// <summary>The append, and all before it, by a sync of its own.</summary>
    Each,
}
