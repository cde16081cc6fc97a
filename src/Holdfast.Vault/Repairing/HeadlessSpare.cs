using System.Runtime.CompilerServices;
using Holdfast.Vault.Checking;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Repairing;

/// <summary>A chunk that is looked for in packs whose footers are lost.</summary>
/// <param name="Id">Which.</param>
/// <param name="Use">What it is part of.</param>
/// <param name="Depth">Above 0 for a chunk list.</param>
/// <param name="Length">How many bytes it has; of a chunk list nothing.</param>
internal readonly record struct WantedChunk(ChunkId Id, TreeUse Use, int Depth, int Length)
{
    public ObjectKind Kind => Use == TreeUse.Data && Depth == 0 ? ObjectKind.DataPack : ObjectKind.TreePack;

    /// <summary>What an item of content stands for.</summary>
    public static WantedChunk Of(ContentItem item, TreeUse use, int depth) => new(item.Id, use, depth, depth > 0 ? 0 : (int)Math.Min(item.Length, int.MaxValue));
}

/// <summary>What is still found in packs whose footers are lost.</summary>
internal sealed class HeadlessSpare(OpenVault vault) : ChunkSpare
{
    /// <summary>Their content is in memory while it is looked through and until it is written: some 16 MiB each, or several times that.</summary>
    public const int MostPacks = 4;

    private readonly List<(ObjectKind Kind, HeadlessPack Pack)> packs = [];
    private readonly Dictionary<(ChunkId Id, ObjectKind Kind), ReadOnlyMemory<byte>> found = [];

    public override string Name => "packs whose footers are lost";

    /// <summary>Whether nothing could be opened.</summary>
    public bool IsEmpty => packs.Count == 0;

    public async Task AddAsync(PackId id, CancellationToken cancellationToken)
    {
        if (await HeadlessPack.TryOpenAsync(vault, id, cancellationToken).ConfigureAwait(false) is { } pack) packs.Add((id.Kind, pack));
    }

    /// <summary>Looks for chunks until no more are found: each may uncover its neighbour, and what it leads to.</summary>
    /// <param name="wanted">What is missing.</param>
    /// <param name="follow">Adds what a tree chunk that was found leads to.</param>
    public void Search(List<WantedChunk> wanted, Action<WantedChunk, ReadOnlyMemory<byte>, List<WantedChunk>> follow)
    {
        bool isNew = true;
        while (isNew && wanted.Count > 0)
        {
            isNew = false;
            var left = new List<WantedChunk>();
            foreach (WantedChunk chunk in wanted)
            {
                if (found.ContainsKey((chunk.Id, chunk.Kind))) continue;
                if (TryTake(chunk) is not { } content)
                {
                    left.Add(chunk);
                    continue;
                }

                found.Add((chunk.Id, chunk.Kind), content);
                isNew = true;
                if (chunk.Kind == ObjectKind.TreePack) follow(chunk, content, left);
            }

            wanted = left;
        }
    }

    /// <summary>All that was found.</summary>
    public IEnumerable<(ChunkId Id, ObjectKind Kind)> Found => found.Keys;

    public override async IAsyncEnumerable<ReadOnlyMemory<byte>> CandidatesAsync(
        LostChunk chunk, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        if (found.TryGetValue((chunk.Id, chunk.Kind), out ReadOnlyMemory<byte> content)) yield return content;
    }

    private ReadOnlyMemory<byte>? TryTake(WantedChunk chunk)
    {
        ChunkProof proof = chunk.Kind == ObjectKind.DataPack ? vault.DataProof : vault.TreeProof;
        foreach ((ObjectKind ofPack, HeadlessPack pack) in packs)
        {
            if (ofPack != chunk.Kind) continue;
            ReadOnlyMemory<byte>? content = chunk.Depth > 0 ? pack.TryTakeList(chunk.Id, proof) : pack.TryTake(chunk.Id, chunk.Length, proof);
            if (content is not null) return content;
        }

        return null;
    }
}
