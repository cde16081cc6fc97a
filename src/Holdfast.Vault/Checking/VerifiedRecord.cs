using Holdfast.Storage;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Checking;

/// <summary>Packs that were read and found whole, by how long before the record was stored. Layout: docs/formats/vault.md, "What checks leave".</summary>
/// <param name="Sections">Seconds before the record was stored, and the packs that were verified then or later.</param>
internal sealed record VerifiedRecord(IReadOnlyList<(long SecondsBefore, IReadOnlyList<PackId> Packs)> Sections)
{
    public const string Prefix = "verified/";
    public const int MaxBytes = IObjectStore.MaxObjectBytes;
    private const int BytesOfRun = 1 + SessionId.Size + 4 + 1;

    /// <summary>Packs of one session follow each other in runs, so that a vault of a million packs takes few bytes.</summary>
    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Varint((ulong)Sections.Count);
        foreach ((long seconds, IReadOnlyList<PackId> packs) in Sections)
        {
            writer.Varint((ulong)seconds);
            List<(PackId First, uint Count)> runs = RunsOf(packs);
            writer.Varint((ulong)runs.Count);
            foreach ((PackId first, uint count) in runs)
            {
                writer.U8((byte)first.Kind);
                first.Session.Encode(writer.Take(SessionId.Size));
                writer.U32(first.Number);
                writer.Varint(count);
            }
        }

        return writer.ToArray();
    }

    /// <summary>Calls back for each pack of a record that is asked for; others, however many a run claims, cost nothing.</summary>
    /// <param name="body">The opened object.</param>
    /// <param name="name">Its name, for what is damaged.</param>
    /// <param name="ordered">The packs that are asked for, in order.</param>
    /// <param name="found">Receives the pack and how many seconds before the record was stored it was verified.</param>
    public static void Decode(ReadOnlySpan<byte> body, string name, PackId[] ordered, Action<PackId, long> found)
    {
        var reader = new ByteReader(body, name);
        int sections = reader.Count(2, "sections");
        for (int s = 0; s < sections; s++)
        {
            long seconds = reader.Varint(uint.MaxValue, "seconds");
            int runs = reader.Count(BytesOfRun, "runs");
            PackId? behind = null;
            for (int r = 0; r < runs; r++)
            {
                var kind = (ObjectKind)reader.U8();
                if (kind is not (ObjectKind.DataPack or ObjectKind.TreePack)) throw reader.Damage($"run {r}: kind {(byte)kind}");
                var first = new PackId(kind, SessionId.Decode(reader.Bytes(SessionId.Size)), reader.U32());
                long end = first.Number + reader.Varint(uint.MaxValue - first.Number, "packs");
                // Else a record of few bytes could name all packs any number of times.
                if (behind is { } least && first.CompareTo(least) < 0) throw reader.Damage($"run {r}: out of order or twice");
                behind = first with { Number = (uint)end };
                int at = Array.BinarySearch(ordered, first);
                for (at = at < 0 ? ~at : at; at < ordered.Length && ordered[at].Kind == kind && ordered[at].Session == first.Session && ordered[at].Number < end; at++)
                {
                    found(ordered[at], seconds);
                }
            }
        }

        reader.ExpectEnd();
    }

    private static List<(PackId First, uint Count)> RunsOf(IReadOnlyList<PackId> packs)
    {
        var runs = new List<(PackId First, uint Count)>();
        foreach (PackId pack in packs.Order())
        {
            if (runs.Count > 0 && runs[^1] is var (first, count) && first.Kind == pack.Kind && first.Session == pack.Session && first.Number + count == pack.Number)
            {
                runs[^1] = (first, count + 1);
                continue;
            }

            runs.Add((pack, 1));
        }

        return runs;
    }
}
