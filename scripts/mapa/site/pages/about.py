"""Sobre: what this is, how to read it, under which terms, and who answers for it."""

from __future__ import annotations

from collections.abc import Iterator

from mapa.site import text
from mapa.site.dictionary import Dictionary
from mapa.site.page import Page
from mapa.site.release import Release

TEXT = """
Este site mostra o que a rede regulada do SUS oferece, o que é bloqueado e o que limita a oferta.
Os números vêm das agendas do SISREG, dos seus afastamentos, feriados, tetos e PPI, e do cadastro
de unidades do CNES. Cada número tem uma [ficha](indicadores/index.html) e uma entrada no
[dicionário](dicionario/index.html), e os [dados](dados.html) podem ser baixados.

## Como ler

* **“–” é o que não é conhecido ou não pode ser divulgado.** Nunca é zero. Zero é um zero que a
  fonte disse.
* **Tudo vai até a data de referência**, que está no pé de cada página, e nunca “até hoje”.
* **Só meses encerrados se somam e se comparam.** O mês em curso e os que virão são programação,
  que ainda muda, e aparecem à parte.
* **A região é a da unidade que atende**, não a de quem é atendido.
* **Uma vaga perdida por mais de uma causa conta uma vez**, na primeira desta ordem: feriado,
  afastamento da unidade, afastamento do profissional, teto, PPI.
* Percentuais saem de vagas somadas; a média de percentuais engana.

## O que não se divulga, e por quê

Nenhuma tabela publicada traz paciente, profissional ou número de documento. Mesmo assim, uma
contagem pequena pode dizer algo de alguém: se um só médico atende um procedimento em uma unidade,
uma vaga bloqueada naquele dia diria que ele faltou. Por isso:

* **onde atendem poucos profissionais**, o que depende de afastamentos não sai por dia;
* o mês sai somado quando a soma não aponta nenhum dia; senão também ela falta, e a página diz
  **não divulgada**. Isso não é zero e não diz que houve afastamento;
* a regra também fecha o caminho da subtração: o que falta não pode ser recuperado do resto;
* **filas, esperas e faltas** contam pessoas: contagens de 1 a 4 não saem, nem outras das quais se
  pudessem calcular. A cada publicação prova-se que ninguém as recupera, de todas as tabelas juntas;
  a prova está em `divulgacao.json`.

As regras inteiras estão em [Divulgação dos
afastamentos](dicionario/regras.html#regra_divulgacao_afastamentos) e [Divulgação do que conta
pessoas](dicionario/regras.html#regra_divulgacao_pessoas).

## De onde vem e quem responde

Instrumento: {agreement}. Responsável por esta publicação: **{owner}**. Fonte dos dados: {source}. É
a quem responde que se dirigem dúvidas, correções e pedidos de acesso ao que é restrito.

## Licenças

* **Dados**: [{licence}](https://creativecommons.org/licenses/by/4.0/deed.pt-br). Podem ser usados
  para qualquer fim, com a citação da fonte e da data de referência.
* **Programa**: GPL 3 ou posterior. Qualquer órgão pode usar, mudar e distribuir, sob a mesma
  licença.

## Como outra rede faz o seu

O programa serve a qualquer estado ou município que use o SISREG: mudam as configurações (central
reguladora, unidade da federação) e as listas de território, que `mapa init` escreve para qualquer
município; nenhuma regra de cálculo muda. `mapa publish` escreve este site, que são só arquivos:
abre com dois cliques a partir de uma pasta e pode ser posto em qualquer servidor de páginas.

## Acessibilidade

O site busca cumprir as diretrizes WCAG 2.2, nível AA. Tudo se faz só com o teclado; cada gráfico
tem em texto o que mostra e a sua tabela; cores têm padrão ou texto como segundo sinal; há tema
claro e escuro, conforme o sistema de quem lê; as páginas se imprimem inteiras e cabem em telas de
320 pontos. Sem JavaScript, todos os textos, números e tabelas continuam na página; faltam só
filtros e busca. O que não funcionar para você é um defeito: diga-o a {owner}.

## O que o site não faz

Não usa cookies, não conta visitas e não pede nada a outro endereço. O que se escolhe nos filtros
fica só no endereço da página.
"""


def pages(release: Release, described: Dictionary) -> Iterator[Page]:
    """Yield the page about the site."""
    said = TEXT.format(
        agreement=described.agreement.what or text.UNTOLD,
        owner=release.owner,
        source=release.source,
        licence=release.licence,
    )
    yield Page("sobre.html", "Sobre", template="about.html", content={"text": said})
