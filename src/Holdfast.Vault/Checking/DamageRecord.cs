using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Checking;

/// <summary>
/// What a check found broken by reading: backups store its content anew, which they would otherwise count as known. Layout:
/// docs/formats/vault.md, "What checks leave".
/// </summary>
internal static class DamageRecord
{
    public const string Prefix = "damaged/";

    /// <summary>Beyond this a vault needs more than a record.</summary>
    public const int MaxBytes = 16 << 20;

    private const int LeastBytesOfPack = 1 + SessionId.Size + 4 + 1;

    /// <summary>All groups that any record names. A record that cannot be read says nothing: what it named is found again.</summary>
    public static async Task<HashSet<(PackId Pack, int Group)>> ReadAllAsync(OpenVault vault, CancellationToken cancellationToken)
    {
        var groups = new HashSet<(PackId Pack, int Group)>();
        await foreach (ObjectEntry entry in vault.Store.ListAsync(Prefix, cancellationToken).ConfigureAwait(false))
        {
            try
            {
                byte[]? content = await vault.Store.TryGetAsync(entry.Name, MaxBytes, cancellationToken).ConfigureAwait(false);
                if (content is not null) Decode(vault.Sealer.Open(ObjectKind.Damage, entry.Name, content).Body, entry.Name, groups);
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                vault.TellOfDamage(error);
            }
        }

        return groups;
    }

    /// <summary>Puts a record. When it returns, the record is durable.</summary>
    public static async Task PutAsync(OpenVault vault, IEnumerable<(PackId Pack, int Group)> groups, CancellationToken cancellationToken)
    {
        string name = Prefix + SessionId.Create(vault.Host.Entropy);
        byte[] content = vault.Sealer.Seal(ObjectKind.Damage, name, Encode(groups));
        if (content.Length > MaxBytes) throw new HoldfastException(ErrorKind.Failed, $"{name}: {content.Length} bytes, more than a record may have", "repair the vault");
        await vault.Store.PutIfAbsentAsync(name, content, cancellationToken).ConfigureAwait(false);
    }

    public static byte[] Encode(IEnumerable<(PackId Pack, int Group)> groups)
    {
        IGrouping<PackId, int>[] packs = [.. groups.GroupBy(static place => place.Pack, static place => place.Group).OrderBy(static pack => pack.Key)];
        var writer = new ByteWriter();
        writer.Varint((ulong)packs.Length);
        foreach (IGrouping<PackId, int> pack in packs)
        {
            writer.U8((byte)pack.Key.Kind);
            pack.Key.Session.Encode(writer.Take(SessionId.Size));
            writer.U32(pack.Key.Number);
            int[] ordered = [.. pack.Order()];
            writer.Varint((ulong)ordered.Length);
            foreach (int group in ordered) writer.Varint((ulong)group);
        }

        return writer.ToArray();
    }

    public static void Decode(ReadOnlySpan<byte> body, string name, HashSet<(PackId Pack, int Group)> groups)
    {
        var reader = new ByteReader(body, name);
        int packs = reader.Count(LeastBytesOfPack, "packs");
        for (int i = 0; i < packs; i++)
        {
            var kind = (ObjectKind)reader.U8();
            if (kind is not (ObjectKind.DataPack or ObjectKind.TreePack)) throw reader.Damage($"pack {i}: kind {(byte)kind}");
            var pack = new PackId(kind, SessionId.Decode(reader.Bytes(SessionId.Size)), reader.U32());
            int count = reader.Count(1, "groups");
            for (int g = 0; g < count; g++) groups.Add((pack, (int)reader.Varint(PackFooter.MaxChunks, "group")));
        }

        reader.ExpectEnd();
    }
}
