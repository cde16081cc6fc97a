using Holdfast.Files;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Backup;

/// <summary>Reads the extended attributes of a node: ACLs, capabilities and the user's own.</summary>
internal static class XattrReader
{
    /// <summary>All attributes of a node together may take so much; Linux's file systems allow less but for XFS.</summary>
    private const int MaxBytes = 1 << 20;

    /// <summary>The attributes in the order of their names; an error where some could not be read.</summary>
    public static async ValueTask<(Xattr[] Xattrs, Errno Error)> ReadAsync(IFileTree tree, Caller caller, NodeId node)
    {
        Result<IReadOnlyList<ReadOnlyMemory<byte>>> names = await tree.ListXattrsAsync(caller, node).ConfigureAwait(false);
        if (!names.Ok) return ([], names.Error is Errno.NotSupported or Errno.NotImplemented ? Errno.None : names.Error);
        if (names.Value.Count == 0) return ([], Errno.None);
        var xattrs = new List<Xattr>(names.Value.Count);
        Errno error = Errno.None;
        int bytes = 0;
        foreach (ReadOnlyMemory<byte> name in names.Value)
        {
            Result<ReadOnlyMemory<byte>> value = await tree.GetXattrAsync(caller, node, name).ConfigureAwait(false);
            // Removed since it was listed: as good as never seen.
            if (value.Error == Errno.NoAttribute) continue;
            if (value.Ok) bytes += name.Length + value.Value.Length;
            if (!value.Ok || bytes > MaxBytes)
            {
                error = value.Ok ? Errno.TooBig : value.Error;
                continue;
            }

            xattrs.Add(new Xattr(name.ToArray(), value.Value.ToArray()));
        }

        xattrs.Sort(static (a, b) => a.Name.AsSpan().SequenceCompareTo(b.Name));
        return ([.. xattrs], error);
    }
}
