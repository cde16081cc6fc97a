using System.Numerics;
using Holdfast.Files;
using Holdfast.Storage;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Points;

/// <summary>Which packs and references objects go, stay after all, or are gone. Layout: docs/formats/vault.md, "Removals".</summary>
/// <param name="Time">When, by the clock of who says it.</param>
/// <param name="ReplacesAll">Whether it says all that the removals before it say together.</param>
/// <param name="Packs">Ascending, none twice.</param>
/// <param name="References">Ascending, none twice.</param>
internal sealed record RemovalRecord(
    DateTimeOffset Time, bool ReplacesAll, IReadOnlyList<PackRemoval> Packs, IReadOnlyList<ReferencesRemoval> References)
{
    public const string Prefix = "removals/";
    public const int MaxBytes = 48 << 20;

    /// <summary>Beyond this, what is to be said is put into several.</summary>
    public const int MaxPacks = 16_384;

    private const int EncodedPackBytes = 1 + SessionId.Size + 4;

    /// <summary>Whether it is short enough to be read again.</summary>
    public static bool Fits(RemovalRecord record) => record.Encode().Length <= MaxBytes - 1024;

    public static string Name(uint number) => Prefix + ObjectNumber.Text(number);

    /// <summary>Reads and verifies a removal; null when there is none of that number, or no more.</summary>
    public static async Task<RemovalRecord?> TryReadAsync(OpenVault vault, uint number, CancellationToken cancellationToken)
    {
        string name = Name(number);
        byte[]? content = await vault.Store.TryGetAsync(name, MaxBytes, cancellationToken).ConfigureAwait(false);
        if (content is null) return null;
        (ObjectHeader header, byte[] body) = vault.Sealer.Open(ObjectKind.Removal, name, content);
        KnownWriter writer = vault.Sealer.Writers.Find(header.WriterId)!;
        // Who may not decide, or was revoked before, says nothing; that is certain, so it stops nobody either.
        bool counts = RoleRules.Allows(writer.Role, VaultUse.Prune) && writer.HasRemoval(number);
        return counts ? Decode(body, number, name) : new RemovalRecord(DateTimeOffset.UnixEpoch, ReplacesAll: false, [], []);
    }

    public byte[] Encode()
    {
        (PackId Pack, int Chunks)[] targets = [.. Packs.SelectMany(static pack => pack.Runs).Select(static run => (run.Pack, run.PackChunks)).Distinct().Order()];
        var places = new Dictionary<PackId, int>(targets.Length);
        var writer = new ByteWriter(64 + (Packs.Count * 32) + (targets.Length * 32));
        UnixTime time = UnixTime.From(Time);
        writer.SignedVarint(time.Seconds);
        writer.Varint((ulong)time.Nanoseconds);
        writer.U8((byte)(ReplacesAll ? 1 : 0));
        writer.Varint((ulong)targets.Length);
        foreach ((PackId pack, int chunks) in targets)
        {
            places.Add(pack, places.Count);
            EncodePack(writer, pack);
            writer.U32((uint)chunks);
        }

        writer.Varint((ulong)Packs.Count);
        foreach (PackRemoval pack in Packs) EncodeRemoval(writer, pack, places);
        writer.Varint((ulong)References.Count);
        foreach (ReferencesRemoval references in References)
        {
            references.Id.Encode(writer.Take(SessionId.Size));
            writer.U8((byte)references.Verdict);
            if (SaysSince(references.Verdict)) writer.U32(references.Since);
        }

        return writer.ToArray();
    }

    public static RemovalRecord Decode(ReadOnlySpan<byte> body, uint number, string name)
    {
        var reader = new ByteReader(body, name);
        long seconds = reader.SignedVarint();
        DateTimeOffset time = new UnixTime(seconds, (int)reader.Varint(999_999_999, "nanoseconds")).ToDateTimeOffset();
        byte replaces = reader.U8();
        if (replaces > 1) throw reader.Damage($"{replaces} where 0 or 1 is expected");
        var targets = new (PackId Pack, int Chunks)[reader.Count(EncodedPackBytes + 4, "packs moved to")];
        for (int i = 0; i < targets.Length; i++)
        {
            PackId pack = DecodePack(ref reader);
            uint chunks = reader.U32();
            if (chunks > PackFooter.MaxChunks || (i > 0 && targets[i - 1].Pack.CompareTo(pack) >= 0)) throw reader.Damage($"pack {i} moved to: {chunks} chunks, or out of order");
            targets[i] = (pack, (int)chunks);
        }

        var packs = new PackRemoval[reader.Count(EncodedPackBytes + 1, "packs")];
        for (int i = 0; i < packs.Length; i++)
        {
            packs[i] = DecodeRemoval(ref reader, targets, number);
            if (i > 0 && packs[i - 1].Pack.CompareTo(packs[i].Pack) >= 0) throw reader.Damage($"pack {i}: out of order or twice");
        }

        var references = new ReferencesRemoval[reader.Count(SessionId.Size + 1, "references objects")];
        for (int i = 0; i < references.Length; i++)
        {
            var id = SessionId.Decode(reader.Bytes(SessionId.Size));
            RemovalVerdict verdict = DecodeVerdict(ref reader);
            references[i] = new ReferencesRemoval(id, verdict, SaysSince(verdict) ? DecodeSince(ref reader, number) : 0);
            if (i > 0 && references[i - 1].Id >= id) throw reader.Damage($"references {i}: out of order or twice");
        }

        reader.ExpectEnd();
        return new RemovalRecord(time, replaces == 1, packs, references);
    }

    private static bool SaysSince(RemovalVerdict verdict) => verdict is RemovalVerdict.Condemned or RemovalVerdict.Gone;

    private static void EncodeRemoval(ByteWriter writer, PackRemoval pack, Dictionary<PackId, int> places)
    {
        EncodePack(writer, pack.Pack);
        writer.U8((byte)pack.Verdict);
        if (!SaysSince(pack.Verdict)) return;
        writer.U32(pack.Since);
        writer.Varint((ulong)pack.Runs.Count);
        if (pack.Runs.Count == 0) return;
        writer.U32((uint)pack.ChunkCount);
        for (int i = 0; i < (pack.ChunkCount + 7) / 8; i++) writer.U8((byte)(pack.Moved[i / 8] >> (8 * (i % 8))));
        foreach (ChunkRun run in pack.Runs)
        {
            writer.Varint((ulong)places[run.Pack]);
            writer.U16((ushort)run.First);
            writer.U16((ushort)run.Count);
        }
    }

    private static PackRemoval DecodeRemoval(ref ByteReader reader, (PackId Pack, int Chunks)[] targets, uint number)
    {
        PackId pack = DecodePack(ref reader);
        RemovalVerdict verdict = DecodeVerdict(ref reader);
        if (!SaysSince(verdict)) return PackRemoval.Of(pack, verdict);
        uint since = DecodeSince(ref reader, number);
        var runs = new ChunkRun[reader.Count(5, "runs")];
        if (runs.Length == 0) return PackRemoval.Condemn(pack, since) with { Verdict = verdict };
        uint chunks = reader.U32();
        if (chunks > PackFooter.MaxChunks || targets.Length == 0) throw reader.Damage($"{chunks} chunks moved to {targets.Length} packs");
        ulong[] moved = new ulong[(chunks + 63) / 64];
        ReadOnlySpan<byte> bitmap = reader.Bytes((int)(chunks + 7) / 8);
        int expected = 0;
        for (int i = 0; i < bitmap.Length; i++)
        {
            moved[i / 8] |= (ulong)bitmap[i] << (8 * (i % 8));
            expected += BitOperations.PopCount(bitmap[i]);
        }

        if (chunks % 8 != 0 && bitmap[^1] >> (int)(chunks % 8) != 0) throw reader.Damage("chunks behind the last");
        int found = 0;
        for (int i = 0; i < runs.Length; i++)
        {
            long place = reader.Varint(targets.Length - 1, "pack moved to");
            int first = reader.U16(), count = reader.U16();
            (PackId target, int targetChunks) = targets[place];
            if (count == 0 || first + count > targetChunks || target == pack) throw reader.Damage($"run of {count} chunks at {first} of {targetChunks}");
            runs[i] = new ChunkRun(target, targetChunks, first, count);
            found += count;
        }

        return found == expected ? new PackRemoval(pack, verdict, since, (int)chunks, moved, runs) : throw reader.Damage($"{found} chunks in runs, {expected} moved");
    }

    private static RemovalVerdict DecodeVerdict(ref ByteReader reader)
    {
        var verdict = (RemovalVerdict)reader.U8();
        return verdict is > RemovalVerdict.Invalid and <= RemovalVerdict.Gone ? verdict : throw reader.Damage($"verdict {(byte)verdict}");
    }

    private static uint DecodeSince(ref ByteReader reader, uint number)
    {
        uint since = reader.U32();
        return since <= number ? since : throw reader.Damage($"condemned by removal {since:x8}, which is behind {number:x8}");
    }

    private static void EncodePack(ByteWriter writer, PackId pack)
    {
        writer.U8((byte)pack.Kind);
        pack.Session.Encode(writer.Take(SessionId.Size));
        writer.U32(pack.Number);
    }

    private static PackId DecodePack(ref ByteReader reader)
    {
        var kind = (ObjectKind)reader.U8();
        if (kind is not (ObjectKind.DataPack or ObjectKind.TreePack)) throw reader.Damage($"pack of kind {(byte)kind}");
        return new PackId(kind, SessionId.Decode(reader.Bytes(SessionId.Size)), reader.U32());
    }
}
