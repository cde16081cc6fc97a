using Holdfast.Vault.Bytes;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault;

/// <summary>What became of a path between two moments.</summary>
public enum ChangeKind
{
    /// <summary>Not a change.</summary>
    None = 0,

    /// <summary>It is new.</summary>
    Added = (byte)'A',

    /// <summary>Its content or attributes differ.</summary>
    Modified = (byte)'M',

    /// <summary>It is gone.</summary>
    Deleted = (byte)'D',
}

/// <summary>A changed path.</summary>
/// <param name="Kind">What became of it.</param>
/// <param name="Path">As <c>ls</c> shows it: relative to the root of a point with one root, absolute otherwise.</param>
public sealed record TreeChange(ChangeKind Kind, ReadOnlyMemory<byte> Path)
{
    internal static void Encode(ByteWriter writer, ChangeKind kind, ReadOnlySpan<byte> path)
    {
        writer.U8((byte)kind);
        writer.ByteString(path);
    }

    internal static List<TreeChange> DecodeList(ReadOnlySpan<byte> chunk, string thing)
    {
        var reader = new ByteReader(chunk, thing);
        if (reader.U8() != (byte)TreeChunkKind.ChangeList) throw reader.Damage("no change list where one is expected");
        var changes = new List<TreeChange>();
        while (!reader.AtEnd)
        {
            var kind = (ChangeKind)reader.U8();
            if (kind is not (ChangeKind.Added or ChangeKind.Modified or ChangeKind.Deleted)) throw reader.Damage($"change of kind {(byte)kind}");
            changes.Add(new TreeChange(kind, reader.ByteString().ToArray()));
        }

        return changes;
    }
}
